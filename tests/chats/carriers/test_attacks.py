"""Carriers under attack, and in bad luck: what strangers send, what networks do twice, what administrators delete."""

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from chats.carriers.dispatches import FILE_SIGNER
from chats.carriers.mail.compose import compose, write
from chats.carriers.mail.headers import parse
from chats.carriers.messenger.events import read_event
from chats.carriers.provider import Parcel
from chats.carriers.registry import PROVIDERS
from chats.carriers.twilio.words import wish_of
from chats.models import Account, Chat, Dispatch
from chats.outbox.sending import Sender
from tests.cases import cases
from tests.chats.carriers.mail_vendors import OWN, bring, make_service, post_form, signed
from tests.chats.carriers.meta import PAGE, page_of, written
from tests.chats.carriers.test_ways import accept, said, say
from tests.conftest import online
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]

HEAD = b"From: a@b.example\n"
REPORT = HEAD + b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
PARTS = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
BOMBS = {
    "blocks of a report": REPORT + b"Action: ok\n\n" * 50_000,
    "blocks that end as on old Macs": REPORT + b"Action: ok\r\r" * 50_000,
    "parts that end as on old Macs": PARTS + b"--b\rContent-Type: text/plain\r\rx\r" * 10_000,
    "lines that end as on old Macs": PARTS + b"x\r" * 1_100_000,
}


@cases("name", BOMBS)
def test_a_mail_that_would_take_for_ever_is_not_parsed(name):
    with pytest.raises(ValueError, match="too many"):
        parse(BOMBS[name])


def parcel(**fields: Any) -> Parcel:
    usual: dict[str, Any] = {
        "id": "1", "own": OWN, "address": "mia@example.com", "text": "Hi", "files": (), "sender_name": "Ann",
        "center_name": "Acme", "language": "", "settings": {}, "secrets": {}, "facts": {}, "status_url": "",
    }  # fmt: skip
    return Parcel(**usual | fields)


INJECTED = "Ann\r\nBcc: all@example.com\r\n\r\nHi"


@cases("fields", [
    {"sender_name": INJECTED},
    {"sender_name": "x\u2028Bcc: all@example.com\x85\x0b\x0c\x1c"},
    {"center_name": INJECTED},
    {"settings": {"from_name": INJECTED}},
    {"facts": {"subject": INJECTED}},
    {"facts": {"subject": "=?utf-8?q?a=0D=0ABcc:_all=40example.com?=", "last_id": "<1@x>"}},
    {"facts": {"last_id": "<a@b>\r\nBcc: all@example.com", "references": "<c@d>\r\nBcc: <e@f>"}},
    {"facts": {"last_id": ["<a@b>"], "references": {"x": 1}, "subject": 7}},
    {"sender_name": '"', "center_name": "<x@y.z>, \\"},
])  # fmt: skip
def test_nothing_that_people_enter_becomes_a_header(fields):
    mail = message_from_bytes(compose(write(parcel(**fields))), policy=default)
    assert (mail["Bcc"], mail.get_all("To"), len(mail["From"].addresses)) == (None, ["mia@example.com"], 1)
    assert mail["From"].addresses[0].addr_spec == OWN


ODD_ADDRESSES = [
    "a..b@x.example",
    ".a@x.example",
    "a.@x.example",
    "a@[127.0.0.1]",
    "a@b",
    "a@x_y.example",
    "a%b@x.example",
    "a@x.example.",
    "a@-x.example",
    "a=b@x.example",
    "a@@x.example",
    "a'b@x.example",
    "ä@x.example",
    "a\u00ad@x.example",
]


@cases("address", ODD_ADDRESSES)
def test_a_mail_to_an_odd_address_leaves_or_is_refused_in_words(address):
    """Nobody is there to take it; nothing is raised."""
    ways = {
        "mail": {"smtp_host": "127.0.0.1"},
        "mail_service": {"service": "postmark", "base_url": "http://127.0.0.1:9"},
    }
    for name, settings in ways.items():
        with Sender() as sender:
            result = PROVIDERS[name].send(parcel(address=address, settings=settings), sender, 2)
        assert result.error.startswith(("Mail cannot", "Calls to", "Postmark")) or not result.again, result


@cases("name", ["..", ".", "/", "a/..", "\\", "x" * 300, "a\0b", "../../etc/passwd", "con", "\u202etxt.exe", ""])
def test_a_file_of_any_name_keeps_its_mail_readable(name, acme):
    channel = make_service(acme, "mailgun")
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = "mia@example.com", OWN, "Boots", "<1@example.com>"
    made.set_content("See the file.")
    made.add_attachment(b"One line\n", maintype="text", subtype="plain", filename="PLACE")
    raw = made.as_bytes().replace(b"PLACE", name.replace("\\", "\\\\").encode())
    assert bring(channel, raw).status_code == 200
    assert said(Chat.objects.get())[0].startswith("See the file.")


def test_a_body_that_is_no_form_and_one_of_many_fields_are_refused(acme):
    channel = make_service(acme, "mailgun")
    many = {f"f{number}": "x" for number in range(600)}
    assert post_form(channel, "inbound", many | signed()).status_code == 400


@pytest.fixture
def desk(acme: Any, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


def test_what_messages_hang_on_is_not_deleted_and_the_admin_says_so(acme, ann, desk, now):
    channel = make_service(acme, "mailgun")
    made = EmailMessage()
    made["From"], made["Message-ID"] = "mia@example.com", "<1@example.com>"
    made.set_content("Hello")
    assert bring(channel, made.as_bytes()).status_code == 200
    chat = accept(Chat.objects.get(), online(ann, now), now)
    say(chat, ann, "Hi", now)
    rows: list[tuple[str, Any]] = [
        ("contactcenter_channel", channel),
        ("chats_customer", chat.customer),
        ("chats_account", Account.objects.get()),
        ("chats_carrier", channel.carrier),
        ("contactcenter_team", acme.support),
    ]
    for model, row in rows:
        page = reverse(f"admin:{model}_delete", args=[row.pk])
        answers = [desk.get(page), desk.post(page, {"post": "yes"})]
        chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        answers.append(desk.post(reverse(f"admin:{model}_changelist"), chosen, follow=True))
        assert {answer.status_code for answer in answers} <= {200, 403}, model
        assert type(row).objects.filter(pk=row.pk).exists(), model
    assert (Dispatch.objects.count(), Chat.objects.count()) == (1, 1)


def test_an_event_of_facebook_that_is_nested_for_its_own_sake_breaks_nothing():
    was_read = 0
    for depth in range(400, 1100):
        raw = json.dumps(written("PLACE", "Hello")).replace('"PLACE"', "[" * depth + "]" * depth)
        try:
            event = json.loads(raw)
        except RecursionError:
            continue
        inbound = read_event(event, PAGE)
        was_read += bool(inbound and len(inbound.external_id) == 64)
    assert was_read > 10


@cases("name", ["twilio", "messenger", "mail_inbound", "file"])
def test_a_database_that_is_away_makes_the_network_come_again(name, acme, monkeypatch):
    """What reads the channel finds nobody there."""
    mail, page = make_service(acme, "postmark"), page_of(acme, "http://127.0.0.1:9")
    key = "pk_x"
    away = OperationalError("the database is away")

    def fail(*_arguments: Any, **_fields: Any) -> Any:
        raise away

    monkeypatch.setattr("django.db.models.query.QuerySet.first", fail)
    client = Client(raise_request_exception=False)
    answer = {
        "twilio": lambda: client.post(f"/carriers/twilio/{key}/messages", {"MessageSid": "SM1"}),
        "messenger": lambda: client.post(f"/carriers/messenger/{page.key}", b"{}", content_type="application/json"),
        "mail_inbound": lambda: client.post(
            f"/carriers/mail/{mail.key}/inbound", b"{}", content_type="application/json"
        ),
        "file": lambda: client.get(f"/carriers/files/{signing.Signer(salt=FILE_SIGNER).sign(str(uuid4()))}"),
    }[name]()
    assert answer.status_code == 503, answer.content[:200]


@cases("text,stopped", [
    ("STOP", True), ("stop", True), (" Stop. ", True), ("sToP!!", True), ("STOP 🛑", True), ("«Stop»", True), ("stop\u200b", True),
    ("\u202astop\u202c", True), ("STOPALL", True), ("OPTOUT", True), ("revoke", True), ("Unsubscribe", True),
    ("stop it, please", False), ("Don't stop", False), ("nonstop", False), ("STOPP", False), ("", False), ("🛑", False), ("HELP", False),
])  # fmt: skip
def test_who_says_stop_in_any_spelling_is_heard_and_nobody_else(text, stopped):
    assert (wish_of(text, "") == "stop") is stopped
    assert wish_of("arrête", "STOP") == "stop"
    assert wish_of("stop", "HELP") == ""


@cases("word", ["START", "start", " Start! ", "YES", "unstop"])
def test_who_says_start_in_any_spelling_gets_messages_again(word):
    assert wish_of(word, "") == "start"
