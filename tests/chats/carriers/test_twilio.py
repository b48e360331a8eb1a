"""SMS by Twilio's API: signed by its own library, sent to a local server that asks what the vendor asks."""

import base64
import json
import os
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator
from twilio.rest import Client as Vendor

from chats.actions.hold import assign_chat
from chats.actions.post import Post, post_message
from chats.carriers.dispatches import Dispatches, file_url
from chats.carriers.provider import File, Parcel
from chats.carriers.twilio import hooks
from chats.carriers.twilio.carrier import Twilio
from chats.errors import Invalid
from chats.files.store import store_attachment
from chats.models import Account, Arrival, Carrier, Chat, Dispatch, Participant
from chats.outbox.courier import Courier
from chats.outbox.lanes import LEASE
from chats.outbox.sending import Sender
from contactcenter.models import Channel
from tests.chats.api.conftest import as_agent
from tests.chats.api.world import png
from tests.chats.outbox.receiver import Call, Receiver
from tests.conftest import online

pytestmark = pytest.mark.django_db
SID, TOKEN = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"
OURS, MIA = "+493012345678", "+4915112345678"
PATH = f"/2010-04-01/Accounts/{SID}"


class Network:
    """What the vendor's server asks of a request: who it is, and the fields that a message needs."""

    def __init__(self) -> None:
        self.says: list[Any] = []
        self.receiver = Receiver(self.answer)
        handler: Any = self.receiver.server.RequestHandlerClass
        handler.do_GET = handler.do_POST

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}"

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [form_of(call) for call in self.receiver.calls if call.body]

    def answer(self, call: Call) -> Any:
        if self.says:
            said = self.says.pop(0)
            return said() if callable(said) else said
        if call.headers.get("authorization") != f"Basic {base64.b64encode(f'{SID}:{TOKEN}'.encode()).decode()}":
            return told(401, code=20003, message="Authenticate")
        if call.path == f"{PATH}.json":
            return told(200, sid=SID, status="active")
        if call.path != f"{PATH}/Messages.json" or "form-urlencoded" not in call.headers["content-type"]:
            return told(404, code=20404, message="Not found")
        form = form_of(call)
        if not form.get("To") or not (form.get("From") or form.get("MessagingServiceSid")):
            return told(400, code=21604, message="'To' and 'From' are needed")
        if not form.get("Body") and not form.get("MediaUrl"):
            return told(400, code=21602, message="Message body is required")
        count = len(self.receiver.calls)
        return told(201, sid=f"SM{count:032}", status="queued", direction="outbound-api", error_code=None)


def form_of(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.body.decode(), strict_parsing=True)


def told(status: int, /, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(fields).encode()


@pytest.fixture
def network(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    network = Network()
    yield network
    network.receiver.stop()


def make_sms(place: Any, base_url: str, team: Any = None, token: str = TOKEN, address: str = OURS) -> Channel:
    channel = Channel.objects.create(center=place.center, kind="sms", name="Texts", address=address, team=team)
    carrier = Carrier(center=place.center, channel=channel, provider="twilio")
    carrier.settings = {"account_sid": SID, "base_url": base_url}
    carrier.keep_secrets({"auth_token": token})
    carrier.save()
    return channel


@pytest.fixture
def sms(acme, network) -> Channel:
    return make_sms(acme, network.url, acme.support)


@pytest.fixture
def courier():
    courier = Courier(Dispatches(), seconds=5)
    yield courier
    assert courier.stop(20)


def sign(settings: Any, path: str, form: dict[str, Any], token: str = TOKEN) -> str:
    return RequestValidator(token).compute_signature(f"{settings.BASE_URL}{path}", form)


@pytest.fixture
def call(sms, settings):
    """A call of the network: `call("messages", Body="Hello")` answers Django's response."""

    def call(what: str, *, key: str = sms.key, **form: Any) -> Any:
        path = f"/carriers/twilio/{key}/{what}"
        return send(path, form, sign(settings, path, form))

    return call


def send(path: str, form: Any, signature: str, **extra: Any) -> Any:
    body = form if isinstance(form, bytes) else urlencode(form, doseq=True).encode()
    extra.setdefault("content_type", "application/x-www-form-urlencoded")
    return Client().generic("POST", path, body, headers={"X-Twilio-Signature": signature}, **extra)


def said(chat: Chat) -> list[str]:
    return [event.text for event in chat.events.filter(type="message.posted", sender_kind="customer").order_by("index")]


def hold(chat: Chat, agent: Any, now: Any) -> Participant:
    assign_chat(agent.center.chats, chat.pk, online(agent, now), now=now)
    return chat.participants.get(agent=agent)


def say(part: Participant, text: str, now: Any, **fields: Any) -> None:
    post_message(Post(part.chat_id, part.pk, f"c-{text}"[:64], text, **fields), now=now)


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_a_text_comes_in_is_transferred_to_a_team_without_sms_and_the_answer_leaves_by_sms(
    acme, ann, sms, call, network, courier, now
):
    for _again in range(2):
        answer = call("messages", MessageSid="SM1", From=MIA, To=OURS, Body="My boots leak", NumMedia="0", Unknown="x")
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
        assert answer.content.endswith(b"<Response></Response>")
    chat = Chat.objects.get()
    assert (said(chat), chat.team, chat.channel, chat.customer.phone) == (["My boots leak"], acme.support, sms, MIA)
    hold(chat, ann, now)
    api = as_agent(ann)
    assert api.post(f"chats/{chat.pk}/transfer", {"team": "sales"}).status_code == 204
    hold(chat, ann, now)
    posted = api.post(f"chats/{chat.pk}/messages", {"client_id": "a1", "text": "Grüße & 100 % dry"})
    assert posted.status_code in (200, 201)
    chat.refresh_from_db()
    assert chat.team == acme.sales
    courier.poke(sms.pk)
    network.receiver.wait_for(1)
    assert courier.stop(20)
    assert network.forms == [
        {
            "To": [MIA],
            "From": [OURS],
            "Body": ["Grüße & 100 % dry"],
            "StatusCallback": [f"http://127.0.0.1:8000/carriers/twilio/{sms.key}/status"],
        }
    ]
    row = Dispatch.objects.get(external_id=f"SM{1:032}")
    assert row.sent_at
    me = chat.participants.get(kind="customer")
    for state, delivered, read in (
        ("sent", 0, 0),
        ("delivered", row.index, 0),
        ("undelivered", row.index, 0),  # late
        ("read", row.index, row.index),
        ("delivered", row.index, row.index),
    ):
        assert call("status", MessageSid=row.external_id, MessageStatus=state, To=MIA).status_code == 204
        me.refresh_from_db()
        assert (me.delivered_index, me.read_index) == (delivered, read)
    row.refresh_from_db()
    assert (row.fate, row.failed_at) == ("read", None)


def test_the_vendors_own_library_sends_what_we_send(sms, network, now):
    form = {
        "to": MIA,
        "body": "Grüße + more\n\N{WAVING HAND SIGN}",
        "status_callback": "https://here.example/carriers/twilio/k/status",
        "media_url": ["https://here.example/carriers/files/a:b", "https://here.example/carriers/files/c:d"],
    }
    theirs = Vendor(SID, TOKEN)
    theirs.api.base_url = network.url
    theirs.messages.create(from_=OURS, **form)
    theirs.messages.create(messaging_service_sid="MG1", **form)
    files = tuple(File(name="a", content_type="image/png", size=1, path="", url=url) for url in form["media_url"])
    with Sender() as sender:
        for service in ("", "MG1"):
            result = Twilio().send(parcel(sms, text=form["body"], files=files, service=service), sender, 5)
            assert result.external_id.startswith("SM")
    calls = network.receiver.calls
    for one, other in ((0, 2), (1, 3)):
        assert form_of(calls[one]) == form_of(calls[other])
        for what in ("authorization", "content-type"):
            assert calls[one].headers[what] == calls[other].headers[what]
    assert {each.path for each in calls} == {f"{PATH}/Messages.json"}


def parcel(sms: Channel, *, text: str = "Hi", files: Any = (), service: str = "", **fields: Any) -> Parcel:
    settings = {**sms.carrier.settings, "messaging_service_sid": service, **fields.pop("settings", {})}
    return Parcel(
        id="1",
        own=fields.pop("own", OURS),
        address=MIA,
        text=text,
        files=files,
        sender_name="Ann",
        center_name="Acme",
        language="",
        settings=settings,
        secrets=fields.pop("secrets", sms.carrier.secrets),
        facts={},
        status_url="https://here.example/carriers/twilio/k/status",
    )


def test_what_the_network_answers_decides_whether_a_message_is_sent_again(sms, network):
    provider = Twilio()
    with Sender() as sender:
        for answer, error, again, code in (
            (told(400, code=21610, message="Unsubscribed"), "no more messages", False, "stopped"),
            (told(400, code=21211, message="Invalid"), "not a phone number that can get messages. (21211)", False, ""),
            (told(400, code=99999, message="No\0pe \ud800"), "No\ufffdpe ? (99999)", False, ""),
            (told(429, code=20429, message="Too many"), "Too many (20429)", True, ""),
            ((503, {}, b"<html>"), "answered 503", True, ""),
            ((302, {"Location": "http://127.0.0.1/"}, b""), "answered 302", False, ""),
            ((400, {}, b"[" * 50_000), "answered 400", False, ""),
            ((400, {}, b'{"code": {}, "message": []}'), "answered 400", False, ""),
        ):
            network.says = [answer]
            result = provider.send(parcel(sms), sender, 5)
            assert error in result.error, answer
            assert (result.again, result.code, result.was_answered) == (again, code, True), answer
            result.error.encode()
        count = len(network.receiver.calls)
        network.says = [(201, {}, b"null")]
        assert provider.send(parcel(sms), sender, 5).is_sent
        assert not provider.send(parcel(sms), sender, 5).error
        wrong = provider.send(parcel(sms, secrets={"auth_token": "wrong"}), sender, 5)
        assert (wrong.error, wrong.again) == ("Authenticate (20003)", False)
        nobody = provider.send(parcel(sms, settings={"base_url": "http://127.0.0.1:1"}), sender, 5)
        assert (nobody.again, nobody.was_answered) == (True, False)
        inside = provider.send(parcel(sms, settings={"base_url": "http://10.0.0.1"}), sender, 5)
        assert "not called" in inside.error
        count = len(network.receiver.calls)
        files = tuple(File(name="a", content_type="a/b", size=1, path="", url=f"https://x/{n}") for n in range(11))
        for unfit in (parcel(sms, text="x" * 1601), parcel(sms, own=""), parcel(sms, files=files)):
            assert not provider.send(unfit, sender, 5).again
        assert len(network.receiver.calls) == count
        as_links = provider.send(parcel(sms, files=files[:2], settings={"mms": False}), sender, 5)
        assert as_links.is_sent
        assert network.forms[-1]["Body"] == ["Hi\nhttps://x/0\nhttps://x/1"]
    check = provider.check
    carrier = sms.carrier
    assert check(OURS, carrier.settings, carrier.secrets, 5) == ""
    assert "wrong" in check(OURS, carrier.settings, {"auth_token": "x"}, 5)
    assert "phone number" in check("", carrier.settings, carrier.secrets, 5)
    assert check(OURS, {**carrier.settings, "base_url": "http://127.0.0.1:1"}, carrier.secrets, 5)
    network.says = [told(200, status="suspended"), (500, {}, b"")]
    assert "suspended" in check(OURS, carrier.settings, carrier.secrets, 5)
    assert "500" in check(OURS, carrier.settings, carrier.secrets, 5)


def test_numbers_have_one_spelling():
    provider = Twilio()
    for typed in (
        "0151 12345678",
        "+49 (151) 12345678",
        "0049151/12345678",
        " +4915112345678 ",
        "tel:+49-151-12345678",
    ):
        assert provider.address(typed, OURS) == MIA, typed
    assert provider.address("415 555 2671", "+18005550100") == "+14155552671"
    assert (provider.address("22000", OURS), provider.own_address("22000")) == ("22000", "22000")
    assert provider.own_address("+49 30 12345678") == OURS
    assert (provider.own_address("Acme Boots"), provider.own_address("")) == ("Acme Boots", "")
    for wrong in ("", "x", "+", "+999", "+1555", "Acme", "\0", "1" * 400, "+49151\n12345678x", "mia@example.com"):
        with pytest.raises(Invalid):
            provider.address(wrong, OURS)
    for wrong in ("030 12345678", "A name that is too long", "ümläut", "+49"):
        with pytest.raises(Invalid):
            provider.own_address(wrong)
    with pytest.raises(Invalid):
        provider.address("0151 12345678", "Acme")  # of no country


def test_media_become_links_that_nobody_fetches(sms, call, network):
    media = {f"MediaUrl{n}": f"{network.url}/media/{n}" for n in range(12)}
    types = {f"MediaContentType{n}": "image/jpeg" for n in range(12)}
    assert call("messages", MessageSid="MM1", From=MIA, Body="", NumMedia="12", **media, **types).status_code == 200
    odd = {"MediaUrl0": "javascript:alert(1)\0", "MediaUrl1": f"{network.url}/ok"}
    assert call("messages", MessageSid="MM2", From=MIA, Body="See\0", NumMedia="x", **odd).status_code == 200
    first, second = Chat.objects.get().events.filter(type="message.posted").order_by("index")
    assert [link["url"] for link in first.data["links"]] == [media[f"MediaUrl{n}"] for n in range(10)]
    assert first.data["links"][0]["type"] == "image/jpeg"
    assert (second.text, len(second.data["links"])) == ("See\ufffd\njavascript:alert(1)\ufffd", 1)
    assert network.receiver.calls == []


def test_stop_holds_for_the_number_begins_no_chat_and_start_ends_it(acme, ann, sms, call, now):
    def account() -> Account:
        return Account.objects.get(address=MIA)

    assert call("messages", MessageSid="S1", From=MIA, Body="Stop.").status_code == 200
    assert (Chat.objects.count(), account().stopped_at is None) == (0, False)
    assert call("messages", MessageSid="S2", From=MIA, Body="START").status_code == 200
    assert (Chat.objects.count(), account().stopped_at) == (0, None)
    call("messages", MessageSid="S1", From=MIA, Body="Stop.")  # a repeat
    assert account().stopped_at is None
    for number, (word, *said_so) in enumerate((["Stop please"], ["don't stop"], ["HELP"], ["yes"], ["END", "HELP"])):
        call(
            "messages", MessageSid=f"O{number}", From=MIA, Body=word, **({"OptOutType": said_so[0]} if said_so else {})
        )
    chat = Chat.objects.get()
    assert said(chat) == ["Stop please", "don't stop", "HELP", "yes", "END"]
    assert account().stopped_at is None
    part = hold(chat, ann, now)
    for number, word in enumerate((" stop\n", "“Unsubscribe!”", "cancel", "eNd", "quit", "STOPALL")):
        Account.objects.update(stopped_at=None)
        call("messages", MessageSid=f"W{number}", From=MIA, Body=word)
        assert account().stopped_at, word
        assert said(chat)[-1] == word.strip() or said(chat)[-1] == word
    say(part, "Too late", now)
    call("messages", MessageSid="W9", From=MIA, Body="Ja bitte", OptOutType="START")
    assert account().stopped_at is None
    Chat.objects.update(pace_at=now + timezone.timedelta(hours=1))
    refused = call("messages", MessageSid="W10", From=MIA, Body="STOP")
    assert (refused.status_code, int(refused["Retry-After"]) > 0) == (429, True)
    assert account().stopped_at  # whatever becomes of the message
    assert call("messages", MessageSid="W11", From=MIA, Body="Hello").status_code == 429


def test_stop_does_not_draw_a_chat_that_is_elsewhere_to_the_number(acme, sms, call, now):
    call("messages", MessageSid="S1", From=MIA, Body="Hello")
    chat = Chat.objects.get()
    other = make_sms(acme, "https://api.example.com", address="+493099999999")
    mail = Channel.objects.create(center=acme.center, kind="email", name="Mail", address="help@acme.example")
    account = Account.objects.create(
        center=acme.center, kind="email", address="mia@example.com", customer=chat.customer
    )
    chat.carriage.channel, chat.carriage.account = mail, account
    chat.carriage.save()
    Chat.objects.update(channel=mail)
    call("messages", MessageSid="S2", From=MIA, Body="STOP")
    chat.refresh_from_db()
    assert (chat.channel, said(chat)) == (mail, ["Hello"])
    assert Account.objects.get(address=MIA).stopped_at
    assert other.carrier.heard_at is None


def test_a_lost_message_is_told_in_words_and_an_unknown_one_may_come_again(acme, ann, sms, call, now):
    call("messages", MessageSid="S1", From=MIA, Body="Hello")
    chat = Chat.objects.get()
    part = hold(chat, ann, now)
    for number, (code, words, kind) in enumerate(
        (
            ("30003", "off or out of reach. (30003)", ""),
            ("21610", "(STOP)", "stopped"),
            ("9" * 50, "999", ""),
            ("", "not arrive", ""),
        )
    ):
        say(part, f"Text {number}", now)
        Dispatch.objects.filter(sent_at=None).update(sent_at=now, external_id=f"SM9{number}")
        lost = call("status", MessageSid=f"SM9{number}", MessageStatus="undelivered", ErrorCode=code)
        assert lost.status_code == 204
        failed = chat.events.filter(type="message.failed").last()
        assert words in failed.data["error"]
        assert (failed.data["code"], failed.index) == (kind, None)
    assert call("status", MessageSid="SM77", MessageStatus="delivered").status_code == 204
    say(part, "Now", now)
    Dispatch.objects.filter(sent_at=None).update(leased_until=now + LEASE)
    assert call("status", MessageSid="SM77", MessageStatus="delivered").status_code == 503
    assert call("status", MessageSid="SM77", MessageStatus="sent").status_code == 204


def test_odd_requests_get_a_fitting_status_and_change_nothing(acme, globex, sms, call, settings, monkeypatch):
    theirs = make_sms(globex, "https://api.example.com", token="another")
    bare = make_sms(acme, "https://api.example.com", token="", address="+493011111111")
    path = f"/carriers/twilio/{sms.key}/messages"
    form = {"MessageSid": "SM1", "From": MIA, "Body": "Hello"}
    right = sign(settings, path, form)
    for signature in ("", "x", "\xff", right[:-1], right.lower(), sign(settings, path, form, "another"), "=" * 5000):
        assert send(path, form, signature).status_code == 403, signature
    for changed in (
        {**form, "Body": "Other"},
        {**form, "More": "x"},
        {"Body": "Hello"},
        b"",
        b"\xff=\xfe",
        b"%ff&%00=%00",
        b"[1]",
    ):
        assert send(path, changed, right).status_code == 403, changed
    assert send(f"/carriers/twilio/{theirs.key}/messages", form, right).status_code == 403
    other = f"/carriers/twilio/{theirs.key}/messages"
    assert send(other, form, sign(settings, other, form)).status_code == 403  # signed by our account for their number
    other = f"/carriers/twilio/{bare.key}/messages"
    assert send(other, form, sign(settings, other, form, "")).status_code == 403  # what everybody can sign
    assert send(f"{path}?a=b", form, right).status_code == 403
    asked = f"{path}?a=b%20c"
    for key in ("nobody", acme.channel.key, "x" * 500, "%00", "..%2f"):
        assert send(f"/carriers/twilio/{key}/messages", form, right).status_code == 404, key
    for method in ("get", "put", "delete", "patch", "head", "options"):
        assert getattr(Client(), method)(path).status_code == 405, method
    many = urlencode([(f"n{n}", "") for n in range(600)]).encode()
    assert send(path, many, right).status_code == 400
    assert send(path, b"a=" + b"x" * 30_000_000, right).status_code == 413
    assert not Arrival.objects.exists()
    for unfit in (
        {},
        {"From": MIA},
        {"MessageSid": "SM1"},
        {**form, "From": "nobody at all"},
        {**form, "MessageSid": "x" * 300},
        {**form, "MessageSid": "\0"},
    ):
        assert call("messages", **unfit).status_code == 400, unfit
        assert call("status", **{**unfit, "MessageSid": ""}).status_code == 400
    assert call("messages", MessageSid="SM0", From=MIA, Body=" \n").status_code == 200  # holds nothing
    assert not Chat.objects.exists()
    assert send(path, form, right, content_type="text/plain; charset=base64").status_code == 200
    assert (
        send(asked, form | {"MessageSid": "SM2"}, sign(settings, asked, form | {"MessageSid": "SM2"})).status_code
        == 200
    )
    twice = [("Body", "b"), ("Body", "a"), ("Body", "a"), ("From", "22000"), ("MessageSid", "SM3")]
    signature = sign(
        settings, path, {"Body": "aBodyb", "From": "22000", "MessageSid": "SM3"}
    )  # each value once, in order
    assert send(path, urlencode(twice).encode(), signature).status_code == 200
    assert call("messages", MessageSid="SM4", From="Acme Bank", Body="x" * 20_000).status_code == 200
    assert {account.address for account in Account.objects.all()} == {MIA, "22000", "Acme Bank"}
    assert set(Chat.objects.values_list("center", flat=True)) == {acme.center.pk}
    monkeypatch.setattr(hooks, "receive", away)
    refused = call("messages", MessageSid="SM5", From=MIA, Body="Hello")
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    monkeypatch.undo()
    for switched in (Channel.objects.filter(pk=sms.pk), Carrier.objects.filter(channel=sms)):
        switched.update(is_active=False)
        assert call("messages", **form).status_code == 404
        switched.update(is_active=True)


def away(*_: Any, **__: Any) -> None:
    raise OperationalError("the connection is closed")


def test_files_leave_by_a_signed_address_and_only_those_that_the_customer_may_see(acme, ann, sms, call, network, now):
    call("messages", MessageSid="S1", From=MIA, Body="Hello")
    chat = Chat.objects.get()
    part = hold(chat, ann, now)

    def upload(name: str, data: bytes) -> Any:
        return store_attachment(chat, part, SimpleUploadedFile(name, data), now)

    picture, paper, secret, unsent = (
        upload("boot.png", png()),
        upload("bill.pdf", b"%PDF-1.4\n%%EOF\n"),
        upload("note.txt", b"He is rude"),
        upload("later.txt", b"Not yet"),
    )
    say(part, "Look", now, attachment_ids=(picture.pk, paper.pk))
    say(part, "Aside", now, attachment_ids=(secret.pk,), is_note=True)
    book, at = Dispatches(), timezone.now()
    (row,) = book.lanes.claim(book.lanes.scan(sms.pk, at), at)
    book.prepare([row])
    with Sender() as sender:
        book.note([book.do(row, sender, 5)], at)
    urls = network.forms[-1]["MediaUrl"]
    assert urls == [file_url(picture), file_url(paper)]
    for url, kind in zip(urls, ("image/png", "application/pdf"), strict=True):
        answer = Client().get(url.removeprefix("http://127.0.0.1:8000"))
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert answer["Content-Security-Policy"].startswith("sandbox")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"".join(answer.streaming_content)
    token = urls[0].rpartition("/")[2]
    hidden = [file_url(one).rpartition("/")[2] for one in (secret, unsent)]
    for wrong in (*hidden, token[:-1], token + "x", str(picture.pk), ":", "%00", "x" * 3000, token.replace(":", ":a")):
        assert Client().get(f"/carriers/files/{wrong}").status_code == 404, wrong
    assert Client().post(f"/carriers/files/{token}").status_code == 405
    assert "MediaUrl" in network.forms[-1]
    assert not Dispatch.objects.filter(position=row.position + 1).exists()  # the note stays in the house


KILLED = """
import sys, threading, django
django.setup()
from chats.carriers.dispatches import courier
courier.poke(__import__("uuid").UUID(sys.argv[1]))
threading.Event().wait(60)
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_had_claimed_is_sent_by_another_in_order(acme, ann, sms, call, network, courier, now):
    call("messages", MessageSid="S1", From=MIA, Body="Hello")
    part = hold(Chat.objects.get(), ann, now)
    say(part, "One", now)
    say(part, "Two", now)
    may_answer = threading.Event()
    network.says = [lambda: (may_answer.wait(30), 500)[1]]
    config = connection.settings_dict
    url = f"postgres://{config['USER']}@{config['HOST']}:{config['PORT']}/{config['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
    worker = subprocess.Popen([sys.executable, "-c", KILLED, str(sms.pk)], env=environment)
    try:
        network.receiver.wait_for(1, 60)
    finally:
        worker.kill()
        worker.wait()
    may_answer.set()
    head = Dispatch.objects.order_by("number").first()
    assert (head.sent_at, head.attempts_made, head.leased_until > timezone.now()) == (None, 0, True)
    Dispatch.objects.update(leased_until=head.leased_until - LEASE)
    courier.poke(sms.pk)
    network.receiver.wait_for(3)
    assert courier.stop(20)
    assert [form["Body"] for form in network.forms] == [["One"], ["One"], ["Two"]]
    assert Dispatch.objects.filter(sent_at=None).count() == 0
