"""Email by providers: their calls as they make them, their APIs as they ask, the same conversation with each."""

import json
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from chats.actions.post import Post, post_message
from chats.carriers.mail.service import hooks, provider
from chats.errors import TooMany
from chats.files.store import store_attachment
from chats.models import Account, Arrival, Carrier, Chat, Dispatch
from contactcenter.models import Channel
from tests.cases import cases
from tests.chats.carriers.mail_vendors import (
    KEY,
    OWN,
    PASSWORD,
    SERVICES,
    Service,
    auth,
    bring,
    make_service,
    post,
    post_form,
    post_json,
    report,
    send_all,
    signed,
    told,
)
from tests.chats.carriers.test_ways import accept, said, say
from tests.conftest import online
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]

MIA = "mia@example.com"


@pytest.fixture
def service(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    service = Service()
    yield service
    service.receiver.stop()


def mail(text: str = "My boots leak.", *, number: int = 1, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = headers.pop("From", f"Mia Müller <{MIA}>")
    made["To"], made["Subject"], made["Message-ID"] = OWN, "My boots", f"<{number}@example.com>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def raw(*arguments: Any, **fields: Any) -> bytes:
    return mail(*arguments, **fields).as_bytes()


def held(place: Any, ann: Any, name: str, service: Any, now: Any) -> tuple[Any, Chat]:
    service.forget()
    channel = make_service(place, name, service.url)
    assert bring(channel, raw(References="<0@example.com>")).status_code == 200
    return channel, accept(Chat.objects.get(), online(ann, now), now)


def set_url(channel: Any, url: str) -> None:
    channel.carrier.settings["base_url"] = url
    channel.carrier.save()


def form_of(sent: dict[str, Any]) -> dict[str, Any]:
    """Of what each API was given, what all of them were: from, to, subject, text, and the headers."""
    if "personalizations" in sent:
        person = sent["personalizations"][0]
        who = (sent["from"]["email"], person["to"][0]["email"])
        return {"who": who, "subject": sent["subject"], "text": sent["content"][0]["value"], "headers": sent["headers"]}
    if "TextBody" in sent:
        headers = {one["Name"]: one["Value"] for one in sent["Headers"]}
        who = (sent["From"].split("<")[1].strip(">"), sent["To"])
        return {"who": who, "subject": sent["Subject"], "text": sent["TextBody"], "headers": headers}
    headers = {name[2:]: value for name, value in sent.items() if name.startswith("h:")}
    who = (sent["from"].split("<")[1].strip(">"), sent["to"])
    return {"who": who, "subject": sent["subject"], "text": sent["text"], "headers": headers}


@cases("name", SERVICES)
def test_a_conversation_goes_both_ways_in_one_thread(name, acme, ann, service, now):
    channel, chat = held(acme, ann, name, service, now)
    assert (said(chat), chat.subject, chat.customer.name, chat.customer.email) == (
        ["My boots leak."],
        "My boots",
        "Mia Müller",
        MIA,
    )
    say(chat, ann, "Which size?\nÄrgerlich…", now)
    send_all()
    row = Dispatch.objects.get()
    sent = form_of(service.mails[0])
    assert (sent["who"], sent["subject"], sent["text"]) == ((OWN, MIA), "Re: My boots", "Which size?\nÄrgerlich…")
    headers = {key.title(): value for key, value in sent["headers"].items()}
    assert headers["Message-Id"] == f"<{row.id}@acme.example>"
    assert headers["In-Reply-To"] == "<1@example.com>"
    assert headers["References"] == "<0@example.com> <1@example.com>"
    assert (row.sent_at is not None, row.error) == (True, "")
    answer = mail(
        f"Forty.\n\nOn Mon, 1 Dec 2025 at 10:00, Ann <{OWN}> wrote:\n> Which size?\n",
        number=2,
        In_Reply_To=headers["Message-Id"],
    ).as_bytes()
    assert [bring(channel, answer).status_code for _again in range(2)] == [200, 200]
    assert said(chat) == ["My boots leak.", "Forty."]
    assert chat.attachments.get().name == "quoted.txt"
    assert bring(channel, raw("Copy", From=f"Ann <{OWN}>", number=3)).status_code == 200
    own = EmailMessage()
    own["From"], own["Message-ID"] = "boss@elsewhere.example", headers["Message-Id"]
    bring(channel, own.as_bytes())
    assert (len(said(chat)), Chat.objects.count()) == (2, 1)


@cases("name", SERVICES)
def test_what_became_of_a_mail_is_told_once_and_whoever_complains_gets_no_more(name, acme, ann, service, now):
    channel, chat = held(acme, ann, name, service, now)
    for text in ("One", "Two", "Three"):
        say(chat, ann, text, now)
    send_all()
    one, two, three = Dispatch.objects.order_by("number")
    assert len({row.external_id for row in (one, two, three)}) == 3
    assert [report(channel, "delivered", one.external_id).status_code for _again in range(2)] == [200, 200]
    assert report(channel, "bounced", two.external_id, "550 no such\0 user \ud800").status_code == 200
    assert report(channel, "bounced", one.external_id, "late").status_code == 200
    assert report(channel, "delivered", "<nobody@else.example>").status_code == 200
    for row in (one, two, three):
        row.refresh_from_db()
    assert [row.fate for row in (one, two, three)] == ["delivered", "lost", ""]
    assert "550 no such user" in two.error
    assert chat.participants.get(kind="customer").delivered_index == one.index
    assert report(channel, "complained", three.external_id).status_code == 200
    assert Account.objects.get(address=MIA).stopped_at
    say(chat, ann, "Four", now)
    send_all()
    assert "STOP" in Dispatch.objects.latest("number").error
    assert len(service.mails) == 3


@cases("name", SERVICES)
def test_a_report_that_comes_before_the_answer_comes_again(name, acme, ann, service, now):
    channel, chat = held(acme, ann, name, service, now)
    say(chat, ann, "One", now)
    row = Dispatch.objects.get()
    ours = f"<{row.id}@acme.example>" if name == "mailgun" else str(row.id)
    early = report(channel, "delivered", ours) if name != "postmark" else None
    assert early is None or (early.status_code, early["Retry-After"]) == (503, "5")
    send_all()
    row.refresh_from_db()
    again = report(channel, "delivered", ours if name != "postmark" else row.external_id)
    row.refresh_from_db()
    assert (again.status_code, row.fate) == (200, "delivered")


def test_files_are_attached_and_a_mail_without_words_says_their_names(acme, ann, service, now):
    _channel, chat = held(acme, ann, "postmark", service, now)
    me = chat.participants.get(agent=ann)
    kept = store_attachment(chat, me, SimpleUploadedFile("größe.txt", b"forty"), now).pk
    post_message(Post(chat.pk, me.pk, "files", "", (kept,)), now=now)
    send_all()
    sent = service.mails[0]
    assert sent["TextBody"] == "größe.txt"
    assert [(one["Name"], one["Content"]) for one in sent["Attachments"]] == [("größe.txt", "Zm9ydHk=")]
    assert (sent["TrackOpens"], sent["TrackLinks"]) == (False, "None")


REFUSALS: list[tuple[str, Any, bool, str]] = [
    ("mailgun", told(401, message="Forbidden"), True, "account"),
    ("mailgun", told(429, message="Slow down"), True, ""),
    ("mailgun", told(400, message="to parameter is not a valid address"), False, ""),
    ("mailgun", (302, {"Location": "http://169.254.169.254/"}, b""), False, ""),
    ("mailgun", (200, {}, b"Mailgun Magnificent API"), False, ""),
    (
        "postmark",
        told(422, ErrorCode=406, Message="inactive addresses: mia@example.com. Inactive recipients"),
        False,
        "",
    ),
    ("postmark", told(500, ErrorCode=0, Message="Away"), True, ""),
    ("postmark", (200, {}, b"[[[["), False, ""),
    ("sendgrid", told(403, errors=[{"message": "The from address does not match"}]), True, "account"),
    ("sendgrid", (503, {}, b"\xff\0"), True, ""),
]


@cases("name,answer,again,code", REFUSALS)
def test_what_a_provider_refuses_is_tried_again_or_given_up(name, answer, again, code, acme, ann, service, now):
    channel, chat = held(acme, ann, name, service, now)
    service.says = [answer]
    say(chat, ann, "One", now)
    send_all()
    row = Dispatch.objects.get()
    channel.carrier.refresh_from_db()
    assert (row.sent_at, row.failed_at is None, row.error != "") == (None, again, True), row.error
    assert (channel.carrier.error != "") == (code == "account")
    assert len(service.receiver.calls) == 1


def test_a_provider_that_is_not_there_is_asked_again_and_a_private_one_never_is(acme, ann, service, now, settings):
    channel, chat = held(acme, ann, "sendgrid", service, now)
    set_url(channel, "http://127.0.0.1:9")
    say(chat, ann, "One", now)
    send_all()
    row = Dispatch.objects.get()
    assert (row.failed_at, row.attempts_made) == (None, 1)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    Dispatch.objects.update(due_at=now)
    set_url(channel, service.url)
    send_all()
    assert service.receiver.calls == []


@cases("name", SERVICES)
def test_an_administrator_hears_whether_the_provider_knows_us(name, service):
    known = provider.MailService()
    plain, keys = {"service": name, "base_url": service.url}, {"api_key": KEY, "signing_key": "s", "hook_password": "p"}
    assert known.check(OWN, plain, keys, 5) == ""
    assert "key is wrong" in known.check(OWN, plain, keys | {"api_key": "ä"}, 5)
    assert known.check(OWN, plain, {"api_key": KEY}, 5).startswith("It takes our mail.")
    assert known.check(OWN, {"service": name, "base_url": "http://127.0.0.1:9"}, keys, 5)
    assert "Choose" in known.check(OWN, {"service": "x"}, {}, 5)
    assert service.mails == []


def test_calls_that_are_not_the_providers_are_turned_away(acme, globex, settings):
    theirs = make_service(globex, "mailgun", signing_key="other")
    gun = make_service(acme, "mailgun")
    mark = make_service(acme, "postmark", address="b@acme.example")
    grid = make_service(acme, "sendgrid", address="c@acme.example")
    bare = make_service(acme, "mailgun", address="d@acme.example", signing_key="")
    open_ = make_service(acme, "postmark", address="e@acme.example", hook_password="")
    form = {"body-mime": raw().decode("latin-1"), "recipient": OWN}
    wrong = [
        post_form(gun, "inbound/mime", form),
        post_form(gun, "inbound/mime", form | signed(key="guess")),
        post_form(theirs, "inbound/mime", form | signed()),
        post_form(bare, "inbound/mime", form | signed(key="")),
        post_form(gun, "inbound/mime", form | signed() | {"signature": "\xff"}),
        post_json(gun, "events", {"signature": signed(key="guess"), "event-data": {}}),
        post_json(mark, "inbound", {"RawEmail": ""}, {}),
        post_json(mark, "inbound", {"RawEmail": ""}, auth("guess")),
        post_json(mark, "events", {}, {"Authorization": "Basic \xff"}),
        post_json(open_, "inbound", {"RawEmail": ""}, auth("")),
        post_form(grid, "inbound", {"email": "x"}),
        post_json(grid, "events", [], auth("guess")),
    ]
    assert [answer.status_code for answer in wrong] == [403] * len(wrong)
    old = post_form(gun, "inbound/mime", form | signed(age=3 * 24 * 3600))
    assert old.status_code == 400
    acme.center.is_active = False
    acme.center.save()
    assert post_form(gun, "inbound/mime", form | signed()).status_code == 404
    assert Client().post("/carriers/mail/nobody/inbound").status_code == 404
    assert Client().get(f"/carriers/mail/{theirs.key}/inbound").status_code == 405
    assert Client().head(f"/carriers/mail/{theirs.key}/inbound").status_code == 200
    assert not Arrival.objects.exists()


def odd_bodies(name: str) -> list[Any]:
    deep = "[" * 100_000
    if name == "postmark":
        return [
            "",
            "null",
            "7",
            "[]",
            '"x"',
            deep,
            '{"RawEmail": 7}',
            '{"RawEmail": null, "Headers": [7]}',
            '{"Headers": {"a": 1}}',
        ]
    return [
        {},
        {"body-mime": ""},
        {"email": ""},
        {"message-headers": "7"},
        {"message-headers": deep},
        {"headers": "\0"},
    ]


@cases("name", SERVICES)
def test_odd_bodies_are_refused_and_break_nothing(name, acme):
    channel = make_service(acme, name)
    statuses = []
    for body in odd_bodies(name):
        if name == "postmark":
            statuses.append(post(channel, "inbound", body.encode(), "application/json", auth()).status_code)
        else:
            form = body | (signed() if name == "mailgun" else {})
            statuses.append(post_form(channel, "inbound", form, auth()).status_code)
    for body in (
        "",
        "null",
        "[7]",
        '[{"event": "bounce", "timestamp": 1e99}]',
        '{"signature": 7}',
        "[" * 100_000,
        "\xff",
    ):
        statuses.append(post(channel, "events", body.encode("latin-1"), "application/json", auth()).status_code)
        statuses.append(post(channel, "inbound", body.encode("latin-1"), "text/plain", auth()).status_code)
    assert {status for status in statuses if status not in (200, 400, 403)} == set(), statuses
    assert not Chat.objects.exists()


@cases("name", SERVICES)
def test_a_mail_in_parts_is_put_together(name, acme):
    channel = make_service(acme, name)
    headers = [["From", f"Mia <{MIA}>"], ["Subject", "Boots"], ["Message-ID", "<9@example.com>"], ["To", OWN]]
    if name == "mailgun":
        form = {"message-headers": json.dumps(headers), "body-plain": "Zu groß".encode(), "sender": MIA}
        answer = post_form(channel, "inbound", form | signed())
    elif name == "postmark":
        body = {
            "FromFull": {"Email": MIA, "Name": "Mia"},
            "Subject": "Boots",
            "TextBody": "Zu groß",
            "Headers": [{"Name": "Message-ID", "Value": "<9@example.com>"}],
            "Attachments": [{"Name": "a.txt", "Content": "Zm9ydHk=", "ContentType": "text/plain"}],
        }
        answer = post_json(channel, "inbound", body)
    else:
        head = "\n".join(": ".join(pair) for pair in headers)
        form = {"headers": head, "text": "Zu groß".encode(), "envelope": json.dumps({"from": MIA, "to": [OWN]})}
        answer = post_form(channel, "inbound", form, auth())
    assert answer.status_code == 200, answer.content
    chat = Chat.objects.get()
    assert (said(chat), chat.subject, chat.customer.email) == (["Zu groß"], "Boots", MIA)
    assert Arrival.objects.get().external_id == "<9@example.com>"


def test_a_mail_of_machines_begins_no_chat_and_bytes_of_old_charsets_stay_what_they_are(acme):
    channel = make_service(acme, "mailgun")
    assert bring(channel, raw("Undeliverable"), sender="").status_code == 200
    assert bring(channel, raw("Away", Auto_Submitted="auto-replied", number=4)).status_code == 200
    assert not Chat.objects.exists()
    old = f"From: {MIA}\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n"
    assert bring(channel, old.encode("latin-1")).status_code == 200
    assert said(Chat.objects.get()) == ["Grüße"]


def test_what_cannot_be_stored_now_comes_again(acme, monkeypatch):
    channel = make_service(acme, "mailgun")

    for trouble in (OperationalError("the database is away"), TooMany()):

        def fail(*_arguments: Any, trouble: Exception = trouble, **_fields: Any) -> Any:
            raise trouble

        with monkeypatch.context() as broken:
            broken.setattr("chats.carriers.mail.taking.receive", fail)
            assert bring(channel, raw()).status_code == 503
    with monkeypatch.context() as broken:
        broken.setattr(hooks, "default_team", lambda _channel: None)
        answer = bring(channel, raw())
        channel.carrier.refresh_from_db()
        assert (answer.status_code, channel.carrier.error) == (503, "No team takes the chats of this mailbox.")
    assert bring(channel, raw()).status_code == 200
    assert Chat.objects.count() == 1


def test_an_administrator_chooses_the_service_and_sees_what_to_enter_there(acme, client):
    client.force_login(make_admin(acme, "Ada").user)
    channel = Channel.objects.create(center=acme.center, kind="email", name="Post", address=OWN)
    first = client.get(reverse("admin:chats_carrier_add") + f"?channel={channel.pk}&kind=email")
    assert first.context["adminform"].form.initial["provider"] == "mail"
    answer = client.post(reverse("admin:chats_carrier_add"), {"channel": str(channel.pk), "provider": "mail_service"})
    page = answer.headers["Location"]
    made = Carrier.objects.get()
    assert (made.settings["service"], len(made.secrets["hook_password"]) > 30) == ("mailgun", True)
    shown = client.get(page).content.decode()
    assert f"/carriers/mail/{channel.key}/inbound/mime<" in shown
    assert f"/carriers/mail/{channel.key}/events<" in shown
    assert made.secrets["hook_password"] not in shown
    fields = {"is_active": "on", "secret_api_key": KEY, "setting_service": "pigeon"}
    assert "setting_service" in client.post(page, fields).context["adminform"].form.errors
    assert client.post(page, fields | {"setting_service": "postmark"}).status_code == 302
    made.refresh_from_db()
    assert (made.settings["service"], made.is_active) == ("postmark", True)
    assert bring(channel, raw()).status_code == 403
    made.keep_secrets({"hook_password": PASSWORD})
    made.save()
    assert bring(channel, raw()).status_code == 200
    token = client.post(reverse("admin:chats_carrier_show_made_secret", args=[made.pk])).content.decode()
    assert PASSWORD in token
