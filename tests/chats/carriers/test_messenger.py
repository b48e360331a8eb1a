"""Facebook Messenger: a network of this process's own over real sockets, the outbox's real threads, and web hooks signed as Meta signs them."""

import hmac
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, close_old_connections
from django.test import Client
from django.utils import timezone

from chats.actions.post import Post, post_message
from chats.carriers import dispatches
from chats.carriers.messenger import hearing
from chats.carriers.messenger.provider import MOST_TEXT, Messenger, split_text
from chats.errors import Invalid
from chats.files.store import store_attachment
from chats.models import Account, Arrival, Carrier, Chat, Dispatch, Event
from chats.outbox.courier import Courier
from contactcenter.models import Channel
from tests.chats.api.world import png
from tests.chats.carriers.meta import (
    APP_SECRET,
    MIA,
    PAGE,
    SECOND_PAGE,
    TOKEN,
    VERIFY,
    Book,
    Network,
    body_of,
    call,
    error,
    page_of,
    send_all,
    told,
    written,
)
from tests.chats.carriers.test_ways import accept, said, say
from tests.conftest import MARKER, online

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


@pytest.fixture
def network(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    network = Network()
    yield network
    network.may_answer.set()
    network.receiver.stop()


@pytest.fixture
def courier():
    courier = Courier(Book(), seconds=5)
    yield courier
    assert courier.stop(20)


@pytest.fixture
def page(acme, network) -> Channel:
    return page_of(acme, network.url)


@pytest.fixture
def chat(page, ann, now) -> Chat:
    """Mia has written, Ann answers."""
    assert call(page, body_of(written("m_in", "Hello"))) == 200
    return accept(Chat.objects.get(), online(ann, now), timezone.now())


def boots() -> SimpleUploadedFile:
    return SimpleUploadedFile("boots.png", png())


def test_the_handshake_is_answered_to_who_knows_the_word_alone(page, globex):
    url = f"/carriers/messenger/{page.key}"
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    answer = Client().get(url, asked)
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    for wrong in ({"hub.verify_token": "x"}, {"hub.verify_token": "\ud800é"}, {"hub.mode": "unsubscribe"}):
        shown = asked | {name: value.encode("utf-8", "surrogatepass") for name, value in wrong.items()}
        assert Client().get(url, shown).status_code == 403
    assert Client().get(url).status_code == 403
    assert Client().put(url).status_code == 405
    other = page_of(globex, "http://127.0.0.1:9", page=SECOND_PAGE)
    Carrier.objects.filter(channel=other).update(kept_secrets="")
    assert Client().get(f"/carriers/messenger/{other.key}", asked | {"hub.verify_token": ""}).status_code == 403
    assert call(other, body_of(written("m_1", "Hi"), page=SECOND_PAGE), secret="") == 403
    for key in ("nobody", "%00", "a" * 65):
        assert Client().get(f"/carriers/messenger/{key}", asked).status_code == 404
    Carrier.objects.filter(channel=page).update(is_active=False)
    assert Client().get(url, asked).status_code == 404


def test_what_people_write_is_stored_once_in_its_order(page, acme):
    files = [
        {"type": "image", "payload": {"url": "https://cdn.example/a.jpg", "sticker_id": 369239263222822}},
        {"type": "fallback", "title": "A shop", "payload": {"url": "https://shop.example/1"}},
        {"type": "location", "payload": {"coordinates": {"lat": 52.5, "long": 13.4}}},
        {"type": "file", "payload": {"url": "javascript:alert(1)"}},
    ]
    many = [{"type": "image", "payload": {"url": f"https://cdn.example/{n}.jpg"}} for n in range(12)]
    postback = {"sender": {"id": MIA}, "postback": {"mid": "m_5", "title": "Get started", "payload": "START"}}
    nameless = {"sender": {"id": MIA}, "timestamp": 1, "postback": {"title": "Again"}}
    body = body_of(
        written("m_1", "Grüße 👋"),
        written("m_2", "Red", quick_reply={"payload": "COLOUR_RED"}, reply_to={"mid": "m_1"}),
        written("m_3", attachments=files),
        written("m_4", attachments=many),
        postback,
        nameless,
        written("m_echo", "Hello, how may I help?", is_echo=True, app_id=263902037430900),
        {**written("m_own", "x"), "sender": {"id": PAGE}},
    )
    body["entry"].append({"id": PAGE, "standby": [written("m_standby", "to another app")]})
    body["entry"].append({"id": "999", "messaging": [written("m_stranger", "to another page")]})
    for _ in range(2):
        assert call(page, body) == 200
    chat = Chat.objects.get()
    assert said(chat) == [
        "Grüße 👋",
        "Red",
        "location\nfile javascript:alert(1)",
        "image https://cdn.example/10.jpg\nimage https://cdn.example/11.jpg",
        "Get started",
        "Again",
    ]
    with_links = [event.data["links"] for event in chat.events.filter(type="message.posted") if "links" in event.data]
    assert with_links[0] == [
        {"type": "", "name": "image", "url": "https://cdn.example/a.jpg"},
        {"type": "", "name": "A shop", "url": "https://shop.example/1"},
    ]
    assert len(with_links[1]) == 10
    assert (chat.channel, chat.center, chat.team) == (page, acme.center, acme.support)
    assert Account.objects.get().address == MIA
    assert Arrival.objects.filter(channel=page).count() == 6


def test_nobody_but_the_pages_own_app_is_believed(page, globex, acme):
    theirs = page_of(globex, "http://127.0.0.1:9", page=SECOND_PAGE, secret="another")
    body = body_of(written("m_1", f"Hello {MARKER}"))
    raw = json.dumps(body).encode()
    sha1 = "sha1=" + hmac.new(APP_SECRET.encode(), raw, "sha1").hexdigest()
    for signature in ("", "sha256=", "sha256=" + "0" * 64, sha1, "sha256=é", "\x00"):
        assert call(page, body, **{"X-Hub-Signature-256": signature}) == 403
    assert call(page, body, secret="another") == 403
    assert call(theirs, body, secret=APP_SECRET) == 403
    # Rightly signed for one center, and about a page of the other: nobody's business, even with the same secret.
    assert call(theirs, body, secret="another") == 200
    Carrier.objects.filter(channel=theirs).delete()
    carrier = Carrier(center=globex.center, channel=theirs, provider="messenger")
    carrier.keep_secrets({"app_secret": APP_SECRET})
    carrier.save()
    assert call(theirs, body) == 200
    assert not Chat.objects.exists()
    # One app, one web hook, two pages of one center.
    second = page_of(acme, "http://127.0.0.1:9", page="3333333")
    third = page_of(acme, "http://127.0.0.1:9", page="4444444", secret="of another app")
    assert call(page, body_of(written("m_2", "Hi"), page="3333333")) == 200
    assert call(page, body_of(written("m_3", "Hi", person="77"), page="4444444")) == 200
    assert Chat.objects.get().channel == second
    assert not Arrival.objects.filter(channel=third).exists()


def test_odd_bodies_are_passed_over_and_hold_nobody_up(page):
    for raw in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"):
        assert call(page, raw) == 400
    for body in (None, 7, "x", [], {}, {"object": "user", "entry": [{"id": PAGE}]}, {"object": "page", "entry": 3}):
        assert call(page, body) == 200
    deep: Any = {}
    for _ in range(200):
        deep = {"message": deep}
    odd: list[Any] = [
        None, 1, [], "x", {}, {"sender": 1}, {"sender": {"id": [MIA]}, "message": {"mid": "a", "text": "x"}}, deep,
        {"sender": {"id": "1 OR 1=1"}, "message": {"mid": "b", "text": "x"}}, {"sender": {"id": "9" * 400}},
        written("c", None), written("d", ""), written("e", "  \u0000 "), written("f", attachments=[None, 3, {}]),
        written("g", 5), written("h", attachments={"a": 1}), {"sender": {"id": MIA}, "message": "x"},
        {"sender": {"id": MIA}, "postback": {}}, {"sender": {"id": MIA}, "reaction": {"emoji": "x"}},
        *({"sender": {"id": MIA}, kind: inner} for kind in ("delivery", "read") for inner in (
            None, [], {}, {"watermark": "x"}, {"watermark": True}, {"watermark": -1}, {"watermark": 10**400},
            {"watermark": float("nan")}, {"watermark": float("inf")}, {"mids": [None, 1, "\ud800", "\u0000"]},
            {"mids": ["m" * 5000], "watermark": 1},
        )),
    ]  # fmt: skip
    assert call(page, {"object": "page", "entry": [None, 5, {"id": 3}, {"id": PAGE, "messaging": 3}]}) == 200
    assert call(page, body_of(*odd)) == 200
    assert not Chat.objects.exists()
    fit = [
        written("", "one"), written("x" * 999, "two"), written("\ud800", "three"), written("ok", "\ud800 four \u0000"),
        {**written("int", "five"), "sender": {"id": int(MIA)}},
        written("long", "y" * 30_000),
    ]  # fmt: skip
    for _ in range(2):
        assert call(page, body_of(*odd, *fit)) == 200
    lines = said(Chat.objects.get())
    assert lines[:5] == ["one", "two", "three", "\ufffd four", "five"]
    assert [len(line) for line in lines[5:]] == [10_000]


def test_what_cannot_be_stored_comes_again_and_nothing_overtakes_it(page, monkeypatch):
    """One message fails on our side: those of others in the body are stored, its sender's later ones wait with it."""
    real, broken = hearing.receive, [OperationalError("away"), RuntimeError("ours")]

    def receive(channel: Channel, inbound: Any, **named: Any) -> Any:
        if inbound.external_id == "m_1" and broken:
            raise broken.pop()
        return real(channel, inbound, **named)

    monkeypatch.setattr(hearing, "receive", receive)
    body = body_of(written("m_1", "one"), written("m_2", "two"), written("m_3", "other", person="77"))
    assert [call(page, body) for _ in range(3)] == [503, 503, 200]
    assert said(Chat.objects.get(customer__accounts__address=MIA)) == ["one", "two"]
    assert said(Chat.objects.get(customer__accounts__address="77")) == ["other"]
    # Who writes too fast is told later.
    flood = body_of(*(written(f"f_{number}", str(number)) for number in range(80)))
    assert call(page, flood) == 503
    Chat.objects.update(pace_at=None)
    assert call(page, flood) == 200
    mine = said(Chat.objects.get(customer__accounts__address=MIA))
    assert mine[2:] == [str(number) for number in range(80)]


@pytest.mark.postgres
def test_bodies_that_come_many_times_at_once_are_stored_once(page):
    bodies = [body_of(written(f"m_{number}", f"Text {number}")) for number in range(4)] * 4
    answers = []

    def one(body: Any) -> None:
        try:
            answers.append(call(page, body))
        finally:
            close_old_connections()

    threads = [threading.Thread(target=one, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [200] * 16
    assert sorted(said(Chat.objects.get())) == [f"Text {number}" for number in range(4)]


def test_an_answer_goes_out_text_first_then_files_and_its_fate_comes_back(acme, ann, chat, page, network, courier):
    me = chat.participants.get(kind="customer")
    seat = chat.participants.get(agent=ann)
    picture = store_attachment(chat, seat, boots(), timezone.now())
    post_message(Post(chat.pk, seat.pk, "c-1", "Here it is 👋", (picture.pk,)), now=timezone.now())
    say(chat, ann, "x" * 1990 + " and a long end", timezone.now())
    send_all(courier, page)
    first, file, head, tail = network.taken
    assert (first, head, tail) == ({"text": "Here it is 👋"}, {"text": "x" * 1990 + " and a"}, {"text": "long end"})
    assert file["attachment"]["type"] == "image"
    assert "/carriers/files/" in file["attachment"]["payload"]["url"]
    one, two = Dispatch.objects.order_by("number")
    assert [(row.external_id, row.error, row.sent_at is None) for row in (one, two)] == [
        ("m_2", "", False),
        ("m_4", "", False),
    ]
    # Reports come in any order: read before delivered, twice, and about messages of others.
    assert call(page, body_of(told("delivery", mids=["m_2", "m_other_app"]))) == 200
    me.refresh_from_db()
    assert (me.delivered_index, me.read_index) == (one.index, 0)
    long_ago, later = one.sent_at - timedelta(minutes=1), two.sent_at
    assert call(page, body_of(told("read", long_ago))) == 200
    assert call(page, body_of(told("read", later, person="77"), told("delivery", later, person="77"))) == 200
    assert set(Dispatch.objects.values_list("fate", flat=True)) == {"", "delivered"}
    for event in (told("read", later), told("delivery", later, ["m_2", "m_4"]), told("read", later)):
        assert call(page, body_of(event)) == 200
    me.refresh_from_db()
    assert (me.delivered_index, me.read_index) == (two.index, two.index)
    assert set(Dispatch.objects.values_list("fate", flat=True)) == {"read"}


def test_a_report_before_the_answer_to_our_call_comes_again(ann, chat, page, network, courier):
    network.may_answer.clear()
    say(chat, ann, "Slow", timezone.now())
    courier.poke(page.pk)
    network.receiver.wait_for(1)
    now = timezone.now()
    assert call(page, body_of(told("delivery", now, ["m_1"]), written("m_7", "Thanks"))) == 503
    assert said(chat) == ["Hello", "Thanks"]
    assert call(page, body_of(told("read", now - timedelta(minutes=1)))) == 200  # of something older
    network.may_answer.set()
    assert courier.stop(20)
    assert call(page, body_of(told("delivery", now, ["m_1"]), written("m_7", "Thanks"))) == 200
    assert Dispatch.objects.get().fate == "delivered"
    assert said(chat) == ["Hello", "Thanks"]


def test_what_facebook_refuses_is_told_and_what_may_pass_is_tried_again(ann, chat, page, network, courier, monkeypatch):
    monkeypatch.setattr(dispatches, "WAITS", (0.001,))
    passing = [
        (400, error(613, "Calls to this api have exceeded the rate limit.")), (400, error(4, "Limit")),
        (429, b""), (500, b"<html>"), (400, error(100, "x", is_transient=True)), (503, error(2, "Retry")),
    ]  # fmt: skip
    network.answers = passing[:]
    say(chat, ann, "At last", timezone.now())
    send_all(courier, page)
    row = Dispatch.objects.get()
    assert (network.taken, row.attempts_made, row.external_id) == ([{"text": "At last"}], len(passing) + 1, "m_1")
    final = [
        (400, error(10, "(#10) outside of allowed window", 2018278), "window", "24 hours"),
        (400, error(551, "This person isn't available right now."), "", "takes no messages"),
        (400, error(200, "x", 1545041), "", "takes no messages"),
        (400, error(100, "No matching user found", 2018001), "", "does not know"),
        (400, error(100, "(#100) \u0000 odd"), "", "Facebook: (#100)"),
        (400, error("190", "odd \ud800", [1]), "", "Facebook: odd"),
        (404, b"[" * 60_000, "", "status 404"),
        (302, b"", "", "status 302"),
        (200, b"<html>", "", "not Facebook's"),
        (200, {"message_id": "\u0000"}, "", "not Facebook's"),
        (401, error(190, "Error validating access token", 463), "account", "access token"),
    ]
    for number, (status, answer, code, words) in enumerate(final):
        network.answers = [(status, answer)]
        say(chat, ann, f"Number {number}", timezone.now())
        send_all(courier, page)
        failed = Event.objects.filter(type="message.failed").latest("position")
        assert (failed.data["code"], words in failed.data["error"]) == (code, True), failed.data
    assert "access token" in Carrier.objects.get(channel=page).error
    assert len(network.taken) == 1


def test_a_message_that_broke_off_is_not_said_twice(ann, chat, page, network, courier):
    seat = chat.participants.get(agent=ann)
    picture = store_attachment(chat, seat, boots(), timezone.now())
    network.answers = [(200, {"recipient_id": MIA, "message_id": "m_first"}), (500, error(2, "Try later"))]
    post_message(Post(chat.pk, seat.pk, "c-1", "Look", (picture.pk,)), now=timezone.now())
    say(chat, ann, "Next", timezone.now())
    send_all(courier, page)
    failed = chat.events.get(type="message.failed")
    assert failed.data["error"] == "Sent in part, without boots.png: Facebook: Try later"
    assert [call.json["message"].get("text") for call in network.receiver.calls] == ["Look", None, "Next"]


def test_after_24_hours_nobody_is_asked(ann, chat, page, network, courier):
    Account.objects.update(last_inbound_at=timezone.now() - timedelta(hours=24, minutes=1))
    say(chat, ann, "Too late", timezone.now())
    send_all(courier, page)
    failed = chat.events.get(type="message.failed")
    assert (failed.data["code"], network.receiver.calls) == ("window", [])
    # The customer writes again: from now on it can be sent.
    assert call(page, body_of(written("m_again", "Still there?"))) == 200
    dispatches.send_again(Chat.objects, chat.pk, failed.data["index"], timezone.now())
    send_all(courier, page)
    assert network.taken == [{"text": "Too late"}]


def test_an_access_can_be_tried(network, settings):
    messenger, secrets = Messenger(), {"page_token": TOKEN}
    chosen = {"graph_url": network.url + "/"}
    network.receiver.server.RequestHandlerClass.do_GET = network.receiver.server.RequestHandlerClass.do_POST
    for (status, answer), words in (
        ((200, {"id": PAGE, "name": "Boots"}), ""),
        ((200, {"id": "5"}), "not Facebook's"),
        ((200, b"<html>"), "not Facebook's"),
        ((400, error(190, "Expired")), "Enter a new one"),
        ((400, error(100, "Unsupported get request")), "Unsupported get request"),
    ):
        network.answers = [(status, answer)]
        found = messenger.check(PAGE, chosen, secrets, 5)
        assert bool(found) == bool(words)
        assert words in found
    (first, *_) = network.receiver.calls
    assert (first.path, first.headers["authorization"]) == (f"/v25.0/{PAGE}?fields=name", f"Bearer {TOKEN}")
    assert messenger.check(PAGE, chosen, {"page_token": "a\r\nb"}, 5)
    assert messenger.check(PAGE, chosen, {"page_token": "\u20ac"}, 5)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert "not called" in messenger.check(PAGE, chosen, secrets, 5)


def test_ids_are_digits_and_long_texts_are_parted_where_people_pause():
    messenger = Messenger()
    assert (messenger.own_address(" 123 456 "), messenger.address("77", PAGE)) == ("123456", "77")
    for wrong in ("", "boots", "12a", "-1", "١٢٣", "1" * 31, "1\x00"):
        with pytest.raises(Invalid):
            messenger.own_address(wrong)
    for text in ("", "a", "a" * 5000, "word " * 1500, "line\n" * 1500, "a" * 1999 + " b", " " * 10 + "c"):
        pieces = split_text(text.strip())
        assert all(0 < len(piece) <= MOST_TEXT for piece in pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())
