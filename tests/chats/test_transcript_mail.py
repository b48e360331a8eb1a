"""A transcript by mail: asked for once per address, sent after the end, at most once, whatever happens on the way."""

import email
import email.policy
import smtplib
import socket
import threading
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core import mail
from django.db import connection, transaction

from chats.actions.close import close_by_customer
from chats.actions.transcript import request_transcript, request_transcript_by_agent
from chats.errors import Forbidden, Invalid, NotFound, TooMany
from chats.models import Chat, Customer, TranscriptRequest
from chats.transcripts import mail as mailing
from chats.transcripts import paper
from chats.transcripts.mail import ATTEMPTS, BACK_OFF, HANDING_OVER, LEASE, UNKNOWN, due_transcripts, send_transcript
from contactcenter.models import ContactCenter
from tests.cases import cases
from tests.chats.transcript_texts import ATTACKS, PRIVATE, SCRIPTS, say
from tests.conftest import make_held_chat

MIA = "mia@example.com"


@pytest.fixture
def held(acme, ann, now):
    held = make_held_chat(acme, ann, now, text="Hello")
    say(held, held.agent, PRIVATE, now, is_note=True)
    return held


@pytest.fixture
def asked(held, now):
    """A closed chat with one transcript that is due."""
    request = request_transcript(held.chat, MIA, now=now)
    close_by_customer(held.customer, now=now)
    request.refresh_from_db()
    return request


def fresh(request):
    request.refresh_from_db()
    return request


# Asking --------------------------------------------------------------------------------------------------------------


def test_it_is_due_when_the_chat_ends_and_not_before(held, now):
    request = request_transcript(held.chat, MIA, language="de", now=now)
    assert (request.due_at, request.language) == (None, "de")
    assert due_transcripts(now) == []
    assert not send_transcript(request.pk, now)
    later = now + timedelta(minutes=1)
    close_by_customer(held.customer, now=later)
    assert fresh(request).due_at == later
    assert due_transcripts(later) == [request.pk]


def test_asking_after_the_end_makes_it_due_at_once(held, now, django_capture_on_commit_callbacks):
    close_by_customer(held.customer, now=now)
    assert request_transcript(held.chat, MIA, now=now).due_at == now


def test_asking_again_is_one_obligation(held, now):
    first = request_transcript(held.chat, MIA, now=now)
    assert request_transcript(held.chat, " MIA@Example.com ", now=now) == first
    assert TranscriptRequest.objects.count() == 1


def test_three_addresses_at_most(held, now):
    for number in range(3):
        request_transcript(held.chat, f"mia{number}@example.com", now=now)
    with pytest.raises(TooMany):
        request_transcript(held.chat, "mia3@example.com", now=now)
    request_transcript(held.chat, "mia0@example.com", now=now)


@cases(
    "address",
    [
        "",
        "mia",
        "mia@",
        "@example.com",
        "mia@example.com\nBcc: eve@example.com",
        "mia@example.com\r\nBcc:eve@example.com",
        "mia@example.com,eve@example.com",
        "mia@example.com;eve@example.com",
        "Mia <mia@example.com>",
        "<mia@example.com>",
        "mia@example.com\u2028x",
        "mia@exa mple.com",
        "mia@example.com\0",
        '"a\nb"@example.com',
        "x" * 300 + "@example.com",
    ],
)
def test_what_is_not_one_address_is_refused(address, held, now):
    with pytest.raises(Invalid):
        request_transcript(held.chat, address, now=now)
    assert not TranscriptRequest.objects.exists()


def test_staff_sends_it_only_to_an_address_that_the_customer_gave(held, ann, gil, now):
    with pytest.raises(Forbidden):
        request_transcript_by_agent(ann, held.chat.pk, MIA, now=now)
    say(held, held.agent, f"Is it {MIA}?", now)
    say(held, held.customer, f"no, not{MIA}", now)
    with pytest.raises(Forbidden):
        request_transcript_by_agent(ann, held.chat.pk, MIA, now=now)
    say(held, held.customer, "It is <Mia@Example.com>.", now)
    assert request_transcript_by_agent(ann, held.chat.pk, MIA, now=now).email == MIA
    Customer.objects.update(email="Mia@work.example")
    assert request_transcript_by_agent(ann, held.chat.pk, "mia@work.example", now=now)
    with pytest.raises(NotFound):
        request_transcript_by_agent(gil, held.chat.pk, MIA, now=now)


# Sending -------------------------------------------------------------------------------------------------------------


def test_it_is_sent_once_with_text_page_and_pdf(asked, now):
    assert send_transcript(asked.pk, now)
    assert not send_transcript(asked.pk, now)
    assert not send_transcript(asked.pk, now + timedelta(days=1))
    assert (fresh(asked).sent_at, asked.failed_at, asked.attempts, asked.error) == (now, None, 1, "")
    (message,) = mail.outbox
    assert message.to == [MIA]
    assert message.subject == "Your chat with Acme"
    assert message.from_email.startswith("Acme <")
    assert "Hello" in message.body
    assert "Hello" in message.alternatives[0].content
    ((name, body, kind),) = message.attachments
    assert (name, kind) == (f"transcript-{asked.chat_id}.pdf", "application/pdf")
    assert body.startswith(b"%PDF-")
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_private_notes_are_in_no_part_of_it(asked, now):
    send_transcript(asked.pk, now)
    whole = mail.outbox[0].message().as_bytes()
    parsed = email.message_from_bytes(whole, policy=email.policy.default)
    for part in parsed.walk():
        if not part.is_multipart():
            assert PRIVATE.encode() not in part.get_payload(decode=True)


def test_the_mail_points_nowhere_and_shows_markup_as_text(held, now):
    for attack in ATTACKS:
        say(held, held.customer, attack, now)
    request = request_transcript(held.chat, MIA, now=now)
    close_by_customer(held.customer, now=now)
    assert send_transcript(request.pk, now)
    html = mail.outbox[0].alternatives[0].content
    assert "&lt;script" in html
    for word in ("<img", "<script", "<link", "<iframe", "<object", "<svg", "<a ", " src=", "href="):
        assert word not in html.replace("&lt;", "§").replace("&quot;", "§") or word in (" src=", "href=")
    assert ATTACKS[0] in mail.outbox[0].body


def test_a_name_with_line_ends_makes_no_header(asked, now):
    ContactCenter.objects.filter(pk=asked.center_id).update(name='Acme "X"\r\nBcc: eve@example.com\r\n\r\nbody')
    assert send_transcript(asked.pk, now)
    message = mail.outbox[0].message()
    assert message["Bcc"] is None
    assert message["Subject"] == 'Your chat with Acme "X" Bcc: eve@example.com body'
    assert mail.outbox[0].recipients() == [MIA]


def test_the_mail_speaks_the_language_that_was_asked_for(held, now):
    request = request_transcript(held.chat, MIA, language="ar", now=now)
    close_by_customer(held.customer, now=now)
    assert send_transcript(request.pk, now)
    assert '<html lang="ar" dir="rtl">' in mail.outbox[0].alternatives[0].content


def test_without_a_press_the_page_and_the_text_are_attached(asked, now, monkeypatch):
    monkeypatch.setattr(paper, "SECONDS", 0.01)
    assert send_transcript(asked.pk, now)
    assert [name.rpartition(".")[2] for name, _, _ in mail.outbox[0].attachments] == ["html", "txt"]
    assert "Hello" in mail.outbox[0].attachments[0][1]


def test_a_long_chat_is_cut_in_the_message_and_whole_in_the_attachments(held, now):
    for number in range(12):
        say(held, held.customer, f"part {number} " + "word " * 1900, now)
    request = request_transcript(held.chat, MIA, now=now)
    close_by_customer(held.customer, now=now)
    assert send_transcript(request.pk, now)
    message = mail.outbox[0]
    assert len(message.alternatives[0].content) < 80_000
    assert "the rest is in the attached file" in message.body
    pdf, text = message.attachments
    assert (pdf[2], text[2]) == ("application/pdf", "text/plain")
    assert "part 11" in text[1]
    assert "part 11" not in message.body


# Failing -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody_listens(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False


def test_it_is_tried_again_later_and_given_up_after_five_attempts(asked, now, nobody_listens):
    for attempt in range(1, ATTEMPTS):
        assert not send_transcript(asked.pk, now)
        assert fresh(asked).attempts == attempt
        assert asked.due_at == now + BACK_OFF[attempt - 1]
        assert "ConnectionRefusedError" in asked.error
        assert not send_transcript(asked.pk, now + timedelta(seconds=30))
        assert fresh(asked).attempts == attempt
        now = asked.due_at
    assert not send_transcript(asked.pk, now)
    assert (fresh(asked).attempts, asked.failed_at, asked.sent_at) == (ATTEMPTS, now, None)
    assert due_transcripts(now + timedelta(days=9)) == []
    assert [step.total_seconds() / 60 for step in BACK_OFF] == [1, 5, 30, 120]


def test_an_attempt_that_died_before_handing_over_is_made_again(asked, now):
    TranscriptRequest.objects.update(attempts=1, due_at=now + LEASE)
    assert not send_transcript(asked.pk, now)
    assert send_transcript(asked.pk, now + LEASE)
    assert fresh(asked).attempts == 2


def test_an_attempt_that_died_while_handing_over_is_not_made_again(asked, now):
    TranscriptRequest.objects.update(attempts=1, due_at=now, error=HANDING_OVER)
    assert not send_transcript(asked.pk, now)
    assert (fresh(asked).failed_at, asked.error) == (now, UNKNOWN)
    assert not mail.outbox


def test_a_chat_that_was_opened_again_waits_for_its_next_end(asked, now):
    Chat.objects.filter(pk=asked.chat_id).update(state="queued", closed_at=None)
    assert not send_transcript(asked.pk, now)
    assert (fresh(asked).due_at, asked.attempts) == (None, 0)
    assert not mail.outbox


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_mail(acme, ann, now):
    with transaction.atomic():
        held = make_held_chat(acme, ann, now)
    request = request_transcript(held.chat, MIA, now=now)
    close_by_customer(held.customer, now=now)
    results, gate = [], threading.Barrier(4)

    def work():
        try:
            gate.wait()
            results.append(send_transcript(request.pk, now))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]
    assert len(mail.outbox) == 1


# A real mail server --------------------------------------------------------------------------------------------------


class Mailbox:
    """What a mail server got, and what it answers."""

    def __init__(self):
        self.got: list[Envelope] = []
        self.recipient_answer = "250 OK"
        self.data_answer: str | None = "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address, options):
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope):
        self.got.append(envelope)
        if self.data_answer is None:
            server.transport.abort()  # it may have kept the mail: nobody knows
            return ""
        return self.data_answer


@pytest.fixture
def mailbox(settings):
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = (
        "127.0.0.1",
        port,
        False,
        5,
    )
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield box
    controller.stop()


def test_a_real_server_gets_one_sound_message(held, mailbox, now):
    for text in SCRIPTS.values():
        say(held, held.customer, text, now)
    request = request_transcript(held.chat, MIA, now=now)
    close_by_customer(held.customer, now=now)
    assert send_transcript(request.pk, now)
    (envelope,) = mailbox.got
    assert envelope.rcpt_tos == [MIA]
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert message["To"] == MIA
    assert message["Message-ID"].startswith(f"<transcript-{request.pk}@")
    assert message.get_content_type() == "multipart/mixed"
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    for line in SCRIPTS.values():
        assert line in text
        assert line in html
    (attachment,) = message.iter_attachments()
    assert attachment.get_content().startswith(b"%PDF-")
    assert PRIVATE.encode() not in envelope.content
    assert fresh(request).sent_at == now


def test_a_server_that_wants_us_to_come_back_gets_it_later(asked, mailbox, now):
    mailbox.recipient_answer = "451 4.7.1 greylisted"
    assert not send_transcript(asked.pk, now)
    assert fresh(asked).due_at == now + BACK_OFF[0]
    mailbox.recipient_answer = "250 OK"
    assert send_transcript(asked.pk, asked.due_at)
    assert len(mailbox.got) == 1


def test_an_address_that_does_not_exist_is_given_up_at_once(asked, mailbox, now):
    mailbox.recipient_answer = "550 5.1.1 no such user"
    assert not send_transcript(asked.pk, now)
    assert fresh(asked).failed_at == now
    assert "550" in asked.error


def test_a_refusal_after_the_data_is_a_refusal(asked, mailbox, now):
    mailbox.data_answer = "452 4.3.1 disk full"
    assert not send_transcript(asked.pk, now)
    assert (fresh(asked).failed_at, asked.due_at) == (None, now + BACK_OFF[0])


def test_a_server_that_hangs_up_after_the_data_is_not_asked_again(asked, mailbox, now):
    mailbox.data_answer = None
    assert not send_transcript(asked.pk, now)
    assert (fresh(asked).failed_at, asked.error) == (now, UNKNOWN)
    assert not send_transcript(asked.pk, now + timedelta(days=1))
    assert len(mailbox.got) == 1


def test_a_lease_that_ran_out_while_printing_sends_nothing(asked, now, monkeypatch):
    build = mailing.build_message

    def slowly(request, transcript):
        TranscriptRequest.objects.update(attempts=2)  # somebody else has it by now
        return build(request, transcript)

    monkeypatch.setattr(mailing, "build_message", slowly)
    assert not send_transcript(asked.pk, now)
    assert not mail.outbox
    assert fresh(asked).sent_at is None


def test_no_error_of_a_server_reaches_beyond_its_column(asked, now, monkeypatch):
    class Angry:
        def open(self):
            raise smtplib.SMTPConnectError(421, b"x" * 5000 + b"\r\n")

    monkeypatch.setattr(mailing, "get_connection", Angry)
    assert not send_transcript(asked.pk, now)
    assert len(fresh(asked).error) == 300
