"""Transcripts: at once after the end and not before, as PDF or by mail to the customer alone, without what staff wrote among themselves."""

import email
import email.policy
import re
import shutil
import socket
import subprocess
import unicodedata
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from chats.actions.hold import reopen_chat
from chats.models import Customer, TranscriptRequest
from chats.transcripts import paper
from chats.transcripts.mail import due_transcripts, send_transcript
from contactcenter.models import Application, Registration
from tests.chats.protocols.expertflow.conftest import ORIGIN, Page, is_error
from tests.conftest import MARKER

pytestmark = pytest.mark.django_db
MIA = "mia@example.com"
WHISPER = "PRIVATE-MARK-onlyforstaff"
ARABIC, CHINESE = "مرحبا، أين طلبي رقم 12345؟", "你好，我的订单在哪里？"


@pytest.fixture
def talk(desk, ann):
    talk = desk.init(firstName="Mia", email=MIA).held_by(ann)
    talk.says("Where is my parcel?")
    talk.answered(ann, WHISPER, is_note=True)
    talk.answered(ann, "On its way")
    return talk


@pytest.mark.both
def test_it_is_there_in_the_moment_in_which_the_agent_ends_the_chat(talk, ann):
    for kind in ("pdf", "email"):
        assert is_error(talk.paper(kind), 404)
    assert not TranscriptRequest.objects.exists()
    talk.closed_by(ann)
    pdf, mailed = talk.paper("pdf"), talk.paper("email")
    assert (pdf.status_code, pdf["Content-Type"], pdf.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert re.fullmatch(r'attachment; filename="transcript-[0-9a-f-]{36}\.pdf"', pdf["Content-Disposition"])
    assert talk.id not in pdf["Content-Disposition"]
    assert (mailed.status_code, mailed.content) == (200, b"")
    assert pdf["Cache-Control"] == mailed["Cache-Control"] == "no-store"
    reopen_chat(ann, talk.row.pk, now=timezone.now())
    assert is_error(talk.paper("pdf"), 404)


def test_no_log_names_a_conversation(talk, ann, caplog, capfd):
    for kind in ("pdf", "email", "nothing"):
        assert is_error(talk.paper(kind), 404)
    assert is_error(talk.page.call("POST", f"/api/customer/transcript/{talk.id}/pdf"), 405)
    said = caplog.text + "".join(capfd.readouterr())
    assert talk.id not in said


def test_a_conversation_that_goes_on_answers_other_pages_as_one_that_is_none(talk, other):
    elsewhere = "https://elsewhere.example"
    Application.objects.filter(registrations=other.registration).update(allowed_origins=[elsewhere])
    page = Page(Origin=elsewhere)
    found, none = (page.get(f"/api/customer/transcript/{one}/pdf") for one in (talk.id, str(uuid4())))
    assert (found.status_code, found.content, dict(found.headers)) == (404, none.content, dict(none.headers))


def test_whatever_has_none_is_not_found(talk, ann, other, gil):
    talk.closed_by(ann)
    theirs = other.init(email="zoe@example.com").held_by(gil)
    theirs.closed_by(gil)
    ids = [
        talk.id.upper() + "x", talk.id[:-1], talk.id + "%00", "%20" + talk.id, talk.me, str(talk.row.pk), talk.id.replace("-", ""),
        "x", "0", "null", "..", "%2e%2e", "%ff", "%F0%9F%99%82", "x" * 200, "x" * 500, "'%20OR%201=1", "{" + talk.id + "}",
    ]  # fmt: skip
    for found in ids:
        for kind in ("pdf", "email"):
            assert is_error(Page().get(f"/api/customer/transcript/{found}/{kind}"), 404), found
    for kind in ("html", "PDF", "pdfx", "text", "%00", "x" * 300, "..%2fpdf"):
        assert is_error(talk.paper(kind), 404), kind
    for path in ("", "/pdf", f"/{talk.id}", f"/{talk.id}/", f"/{talk.id}/pdf/x"):
        assert is_error(Page().get(f"/api/customer/transcript{path}"), 404), path
    # A center that is named is its own.
    for named in (f"other-{MARKER}", "globex", "nobody", "é"):
        assert is_error(Page(ContactCenterId=named).get(f"/api/customer/transcript/{talk.id}/pdf"), 404)
        assert is_error(Page().get(f"/api/customer/transcript/{talk.id}/pdf?contactCenterId={named}"), 404)
    assert is_error(talk.page.get(f"/api/customer/transcript/{theirs.id}/pdf"), 404)
    assert Page().get(f"/api/customer/transcript/{theirs.id}/pdf").status_code == 200
    assert not TranscriptRequest.objects.exists()


def test_its_id_leads_to_it_at_every_address_and_a_look_prints_nothing(talk, ann, monkeypatch):
    talk.closed_by(ann)
    monkeypatch.setattr("chats.transcripts.serve.render_pdf", lambda transcript: b"%PDF-1.7")
    for path in ("/api/customer/transcript/{}/pdf", "/legacy/api/customer/transcript/{}/pdf/"):
        for page in (Page(), Page(ContactCenterId="acme"), Page(contactcenterid="acme-chat")):
            assert page.get(path.format(talk.id)).status_code == 200
    assert talk.paper("pdf", Origin=ORIGIN)["Access-Control-Allow-Origin"] == ORIGIN
    assert is_error(talk.paper("pdf", Origin="https://evil.example"), 403)
    for kind in ("pdf", "email"):
        looked = Page().call("HEAD", f"/api/customer/transcript/{talk.id}/{kind}")
        assert (looked.status_code, looked.content) == (200, b"")
    assert not TranscriptRequest.objects.exists()
    Registration.objects.update(is_active=False)
    assert is_error(talk.paper("pdf"), 404)


def test_who_prints_or_mails_too_often_waits_and_without_a_press_comes_back(talk, ann, monkeypatch):
    talk.closed_by(ann)
    mailed = [talk.paper("email") for _ in range(11)]
    assert [answer.status_code for answer in mailed] == [200] * 10 + [429]
    assert int(mailed[-1]["Retry-After"]) >= 1
    monkeypatch.setattr(paper, "SECONDS", 0.01)
    answers = [talk.paper("pdf") for _ in range(21)]
    assert {answer.status_code for answer in answers[:-1]} == {503}
    assert is_error(answers[0], 503)
    assert is_error(answers[-1], 429)


# PDF ------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no poppler here")
def test_the_pdf_has_every_script_and_no_note(desk, ann):
    for first, last, language in (("ليلى", "حداد", "ar"), ("小明", "王", "zh"), ("Zoë", "Müller", "de")):
        talk = desk.init(firstName=first, lastName=last, language=language).held_by(ann)
        for text in (ARABIC, CHINESE, "Grüße 🙂"):
            talk.says(text)
            talk.answered(ann, text)
        talk.answered(ann, WHISPER, is_note=True)
        answer = talk.closed_by(ann).paper("pdf")
        assert answer.status_code == 200
        found = text_of(answer.content)
        # Extractors differ in how they turn a sentence's end that runs the other way than its page, and ligatures.
        assert plain(CHINESE).rstrip("?") in found
        assert not {*map(letters, ("أين", "طلبي", first, last))} - {*map(letters, re.findall(r"\w+", found))}, language
        assert "Grüße" in found
        assert "Ann" in found
        assert not [hidden for hidden in (WHISPER, talk.id, talk.me) if hidden in found]


def test_the_pdf_speaks_the_chats_language(desk, ann):
    talk = desk.init(language="de").held_by(ann).closed_by(ann)
    assert "Ende" in text_of(talk.paper("pdf", Accept_Language="fr").content)


# Mail -----------------------------------------------------------------------------------------------------------------


class Mailbox:
    def __init__(self):
        self.got = []

    async def handle_DATA(self, server, session, envelope):
        self.got.append(envelope)
        return "250 OK"


@pytest.fixture
def mailbox(settings):
    """A mail server."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = False, "", ""
    yield box
    controller.stop()


def test_asking_twice_mails_once_and_to_the_customer_alone(talk, ann, mailbox):
    talk.says(f"{ARABIC} {CHINESE}")
    talk.closed_by(ann)
    for query in ("", "?email=eve@example.com", "?to=eve@example.com"):
        assert Page().get(f"/api/customer/transcript/{talk.id}/email{query}").status_code == 200
    now = timezone.now()
    (due,) = due_transcripts(now)
    assert [send_transcript(due, now), send_transcript(due, now)] == [True, False]
    assert talk.paper("email").status_code == 200
    assert due_transcripts(timezone.now()) == []
    (envelope,) = mailbox.got
    assert envelope.rcpt_tos == [MIA]
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    text = message.get_body(("plain",)).get_content()
    assert ARABIC in text
    assert CHINESE in text
    (attached,) = message.iter_attachments()
    assert attached.get_content()[:5] == b"%PDF-"
    everything = envelope.content.decode() + text + text_of(attached.get_content())
    assert not [hidden for hidden in (WHISPER, talk.id, talk.me) if hidden in everything]


def test_without_an_address_there_is_none_by_mail(talk, ann):
    Customer.objects.update(email="")
    talk.closed_by(ann)
    assert is_error(talk.paper("email"), 404)
    assert Page().call("HEAD", f"/api/customer/transcript/{talk.id}/email").status_code == 404
    assert not TranscriptRequest.objects.exists()


def text_of(pdf):
    run = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return plain(run.stdout.decode())


def letters(word):
    return "".join(sorted(word))


def plain(text):
    """Without marks of direction, in one form of each letter."""
    return unicodedata.normalize("NFKC", re.sub("[\u200e\u200f\u202a-\u202e]", "", text))
