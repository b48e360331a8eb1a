"""Email against real servers: a conversation both ways, and what comes between."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chats.actions.close import close_chat
from chats.actions.post import Post, post_message
from chats.actions.reach_out import go_on_by
from chats.carriers.dispatches import send_again
from chats.carriers.mail import compose, reading
from chats.carriers.mail.reading import due_mailboxes, read_mailbox
from chats.files.store import store_attachment
from chats.models import Arrival, Carriage, Carrier, Chat, Dispatch
from tests.chats.carriers.mail_servers import OWN
from tests.chats.carriers.test_ways import accept, said, say, send_all
from tests.conftest import make_held_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.dovecot]

MIA = "mia@example.com"


def mail(text: str = "Hello", *, number: int = 1, sender: str = f"Mia Müller <{MIA}>", **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, headers.pop("To", OWN), headers.pop("Subject", "My boots")
    made["Message-ID"] = f"<{number}@example.com>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def poll(channel: Any, now: Any = None) -> int:
    return read_mailbox(channel.carrier.pk, now or timezone.now())


def reply_to(received: Any, text: str, number: int) -> EmailMessage:
    """As a mail program does it."""
    earlier = f"{received.get('References', '')} {received['Message-ID']}".strip()
    quoted = "\n".join(f"> {line}" for line in received.get_content().splitlines())
    return mail(
        f"{text}\n\nOn Mon, 1 Dec 2025 at 10:00, Ann <{OWN}> wrote:\n{quoted}\n",
        number=number,
        To=OWN,
        Subject=str(received["Subject"]),
        In_Reply_To=received["Message-ID"],
        References=earlier,
    )


@pytest.mark.both
def test_a_conversation_goes_both_ways_in_one_thread(acme, ann, world, now):
    channel = world.channel(acme)
    acme.support.greeting = "We are on it."
    acme.support.save()
    world.box.deliver(mail("My boots leak.\n", References="<0@example.com>"))
    assert (poll(channel), poll(channel), world.box.unread()) == (1, 0, 0)
    chat = Chat.objects.get()
    assert (said(chat), chat.subject, chat.customer.name, chat.customer.email) == (
        ["My boots leak."],
        "My boots",
        "Mia Müller",
        MIA,
    )
    chat = accept(chat, online(ann, now), now)
    say(chat, ann, "Which size?\nÄrgerlich…", now)
    send_all()
    greeting, asked = world.post.mails
    assert (greeting["Auto-Submitted"], asked["Auto-Submitted"]) == ("auto-generated", None)
    assert (str(asked["From"]), asked["To"]) == (f"Ann – Acme <{OWN}>", MIA)
    assert (asked["Subject"], asked.get_content().split("\r\n")[:2]) == ("Re: My boots", ["Which size?", "Ärgerlich…"])
    assert asked["In-Reply-To"] == "<1@example.com>"
    assert asked["References"].split() == ["<0@example.com>", "<1@example.com>"]
    assert Dispatch.objects.get(external_id=asked["Message-ID"]).sent_at
    world.box.deliver(reply_to(asked, "Forty.", 2))
    poll(channel)
    assert said(chat) == ["My boots leak.", "Forty."]
    file = chat.attachments.get()
    assert file.name == "quoted.txt"
    assert "> Which size?" in file.file.read().decode()
    say(chat, ann, "On their way.", now)
    send_all()
    last = world.post.mails[-1]
    assert last["In-Reply-To"] == "<2@example.com>"
    assert last["References"].split()[:2] == ["<0@example.com>", "<1@example.com>"]
    assert last["References"].split()[-2:] == [asked["Message-ID"], "<2@example.com>"]
    world.box.deliver(reply_to(last, "Thank you!", 3))
    poll(channel)
    assert said(chat)[-1] == "Thank you!"
    assert Chat.objects.count() == 1


def test_files_travel_both_ways_and_those_that_cannot_be_taken_are_named(acme, ann, world, now, monkeypatch):
    channel = world.channel(acme)
    letter = mail("See the picture.")
    letter.add_attachment(b"One line\n", maintype="text", subtype="plain", filename="größe.txt")
    letter.add_attachment(b"MZ\x90\x00", maintype="application", subtype="octet-stream", filename="run.exe")
    world.box.deliver(letter)
    poll(channel)
    chat = Chat.objects.get()
    assert [file.name for file in chat.attachments.all()] == ["größe.txt"]
    assert said(chat)[0].startswith("See the picture.")
    assert "run.exe" in said(chat)[0]
    chat = accept(chat, online(ann, now), now)
    me = chat.participants.get(agent=ann)
    kept = [
        store_attachment(chat, me, SimpleUploadedFile(name, b"x" * size), now).pk
        for name, size in (("a.txt", 60), ("b.txt", 60), ("ö.txt", 30))
    ]
    monkeypatch.setattr(compose, "MOST_BYTES", 100)
    post_message(Post(chat.pk, me.pk, "files", "Here", tuple(kept)), now=now)
    send_all()
    sent = world.post.mails[-1]
    assert [part.get_filename() for part in sent.iter_attachments()] == ["a.txt", "ö.txt"]
    text = sent.get_body().get_content()
    assert text.startswith("Here")
    assert "b.txt: http" in text


def test_automatic_mail_begins_nothing_and_joins_what_is_open(acme, ann, world, now):
    channel = world.channel(acme)
    kinds = [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<list.example.com>"},
        {"X_Auto_Response_Suppress": "OOF, DR"},
        {"Return_Path": "<>"},
        {"sender": "MAILER-DAEMON@example.com"},
    ]
    world.box.deliver(*(mail("Away", number=number, **kind) for number, kind in enumerate(kinds)))
    world.box.deliver(
        mail("From ourselves", number=50, sender=OWN), mail("Loop", number=51, sender="help+x@acme.example")
    )
    assert poll(channel) == len(kinds) + 2
    assert not Chat.objects.exists()
    world.box.deliver(mail("Hello", number=60, Auto_Submitted="no"))
    world.box.deliver(mail("I am away", number=61, Auto_Submitted="auto-replied"))
    poll(channel)
    chat = Chat.objects.get()
    assert said(chat) == ["Hello", "[automatic reply]\nI am away"]
    # A program moves no chat to another channel.
    Chat.objects.update(channel=acme.channel)
    world.box.deliver(mail("Still away", number=62, Auto_Submitted="auto-replied"))
    poll(channel)
    assert len(said(chat)) == 2


def test_a_bounce_is_told_with_its_message_and_a_stranger_can_fake_none(acme, globex, ann, world, now):
    channel = world.channel(acme)
    world.box.deliver(mail())
    poll(channel)
    chat = accept(Chat.objects.get(), online(ann, now), now)
    say(chat, ann, "One", now)
    say(chat, ann, "Two", now)
    send_all()
    lost = world.post.mails[0]["Message-ID"]
    world.box.deliver(bounce("<nobody@acme.example>", "failed", 70), bounce(lost, "delayed", 71))
    poll(channel)
    assert not chat.events.filter(type="message.failed").exists()
    world.box.deliver(bounce(lost, "failed", 72))
    poll(channel)
    failed = chat.events.get(type="message.failed")
    row = Dispatch.objects.get(external_id=lost)
    assert (failed.data["index"], row.fate) == (row.index, "lost")
    assert "550 5.1.1 no such user" in failed.data["error"]
    assert said(chat) == ["Hello"]


def bounce(message_id: str, action: str, number: int) -> bytes:
    return f"""From: MAILER-DAEMON@mx.example.com
To: {OWN}
Subject: Undelivered
Message-ID: <{number}@mx.example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {MIA}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: text/rfc822-headers

From: {OWN}
Message-ID: {message_id}

--b--
""".encode()


class Killed(BaseException):
    """The process ends here: no handler of ours sees it."""


@pytest.mark.both
def test_who_dies_between_reading_and_the_bookmark_loses_and_doubles_nothing(acme, world, now, monkeypatch):
    channel = world.channel(acme)
    world.box.deliver(*(mail(f"Text {number}", number=number) for number in range(4)))
    take, calls = reading.take, []

    def dying(*args: Any, **more: Any) -> bool:
        calls.append(1)
        if len(calls) == 2:
            raise Killed  # before the commit
        done = take(*args, **more)
        if len(calls) == 4:
            raise Killed  # after it
        return done

    monkeypatch.setattr(reading, "take", dying)
    for visit in range(2):
        with pytest.raises(Killed):
            poll(channel, now + timedelta(seconds=visit * 200))
        assert poll(channel, now + timedelta(seconds=visit * 200 + 100)) == 0  # whoever died still holds the lease
    poll(channel, now + timedelta(seconds=400))
    assert said(Chat.objects.get()) == [f"Text {number}" for number in range(4)]
    # A mailbox that is numbered anew is read anew, and nothing comes twice.
    monkeypatch.undo()
    before = dict(Carrier.objects.get().bookmark)
    Carrier.objects.update(bookmark=before | {"validity": 1})
    assert poll(channel, now + timedelta(seconds=500)) == 4
    assert (Arrival.objects.count(), len(said(Chat.objects.get()))) == (4, 4)


def test_a_mailbox_is_claimed_once_and_one_in_trouble_is_left_alone_for_a_while(acme, world, now):
    channel = world.channel(acme)
    world.box.deliver(mail())
    carrier = channel.carrier
    assert due_mailboxes(now) == [carrier.pk]
    claimed = reading._claim(carrier.pk, now)
    assert (due_mailboxes(now), reading._claim(carrier.pk, now), poll(channel, now)) == ([], None, 0)
    reading._Visit(claimed).end("", now)
    carrier.refresh_from_db()
    carrier.keep_secrets({"imap_password": "wrong"})
    carrier.save()
    poll(channel, now)
    carrier.refresh_from_db()
    assert carrier.error == "The mail server refused the name or the password."
    assert due_mailboxes(now + timedelta(seconds=14)) == []
    carrier.keep_secrets({"imap_password": "correct horse"})
    carrier.save()
    assert poll(channel, now + timedelta(seconds=16)) == 1
    carrier.refresh_from_db()
    assert (carrier.error, carrier.bookmark["failures"]) == ("", 0)


def test_many_mails_of_one_sender_wait_and_hold_up_nobody_else(acme, world, now, monkeypatch):
    channel = world.channel(acme)
    monkeypatch.setattr("chats.actions.post.BURST", timedelta(seconds=3))
    world.box.deliver(*(mail(f"Text {number}", number=number) for number in range(6)))
    world.box.deliver(mail("Me too", number=90, sender="bo@example.com"))
    poll(channel)
    mine, other = Chat.objects.get(customer__email=MIA), Chat.objects.get(customer__email="bo@example.com")
    assert said(other) == ["Me too"]
    waiting = Carrier.objects.get().bookmark["later"]
    assert waiting
    assert len(said(mine)) + len(waiting) == 6
    Chat.objects.update(pace_at=None)
    for _ in range(3):
        poll(channel)
        Chat.objects.update(pace_at=None)
    assert said(mine) == [f"Text {number}" for number in range(6)]


def test_two_programs_that_talk_begin_no_chats(acme, world, now, monkeypatch):
    channel = world.channel(acme)
    monkeypatch.setattr("chats.carriers.mail.taking.LOOP_MAILS", 3)
    for number in range(5):
        world.box.deliver(mail(f"Answer {number}", number=number))
        poll(channel)
        for chat in Chat.objects.open():
            close_chat(acme.center.chats, chat.pk, reason="test", now=timezone.now())
    assert (Chat.objects.count(), world.box.unread()) == (3, 2)


@pytest.mark.both
def test_a_web_chat_goes_on_by_mail_and_its_customer_answers_into_it(acme, globex, ann, world, now):
    channel = world.channel(acme)
    held = make_held_chat(acme, online(ann, now), now)
    go_on_by(ann, held.chat.pk, channel, MIA, now=now)
    say(held.chat, ann, "Let us go on here.", now)
    send_all()
    first = world.post.mails[0]
    assert (first["Subject"], first["In-Reply-To"]) == ("Your chat with Acme", None)
    say(held.chat, ann, "Are you there?", now)
    send_all()
    assert world.post.mails[1]["In-Reply-To"] == first["Message-ID"]
    world.box.deliver(reply_to(first, "Yes, I am.", 1))
    # Whoever has seen our mail is not the customer.
    stranger = mail("I am Mia", number=2, sender="eve@example.com", In_Reply_To=first["Message-ID"])
    world.box.deliver(stranger)
    poll(channel)
    assert said(held.chat) == ["Yes, I am."]
    other = Chat.objects.get(customer__email="eve@example.com")
    assert (said(other), other.pk != held.chat.pk) == (["I am Mia"], True)


def test_what_the_server_refuses_is_told_or_tried_again(acme, ann, world, now):
    channel = world.channel(acme)
    world.box.deliver(mail())
    poll(channel)
    chat = accept(Chat.objects.get(), online(ann, now), now)
    world.post.refuse[MIA] = "451 not now"
    say(chat, ann, "One", now)
    send_all()
    row = Dispatch.objects.get()
    assert (row.failed_at, row.sent_at, row.error) == (None, None, "The mail server said: 451 not now")
    world.post.refuse[MIA] = "550 no such user"
    Dispatch.objects.update(due_at=timezone.now())
    send_all()
    assert chat.events.get(type="message.failed").data["error"] == "The mail server said: 550 no such user"
    # The same mail is sent again as the same mail, and nothing that a person wrote ends a header.
    world.post.refuse.clear()
    Carriage.objects.update(
        facts={
            "subject": "Hi\r\nBcc: eve@example.com",
            "last_id": "<1@x>\r\nX-Evil: 1",
            "references": "<a@b>\r\nX: <c@d>",
        }
    )
    send_again(acme.center.chats, chat.pk, row.index, timezone.now())
    send_all()
    envelope, data = world.post.taken[-1]
    sent = world.post.mails[-1]
    assert envelope.rcpt_tos == [MIA]
    assert sent["Message-ID"] == f"<{row.id}@acme.example>"
    assert (sent["Bcc"], sent["X-Evil"], sent["X"], sent["References"].split()) == (
        None,
        None,
        None,
        ["<a@b>", "<c@d>", "<1@x>"],
    )
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
