"""REST's plain calls say what the views say, or nothing."""

import json
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_thread
from django.conf import settings
from django.utils import timezone

from agents.models import Presence
from chats.actions.close import close_by_customer
from chats.actions.post import Post, post_message
from chats.actions.sessions import SESSION_LIFE
from chats.actions.start import CUSTOMER_LEASE
from chats.doors.life import LEASE_AGES
from chats.models import Chat, CustomerSession, Event, Occupation, Participant, Queue, Search
from chats.sockets import poster as posters
from contactcenter.models import Channel, Installation
from tests.chats.api.conftest import as_customer
from tests.chats.fast_path import ask, same
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

PAGE = "https://shop.example"


@pytest.fixture
def mia(acme, ann, now, served):
    """Her chat with Ann, of which she has seen all that was said."""
    mia = as_customer(acme, now)
    mia.held = make_held_chat(acme, ann, now, customer=mia.customer)
    mia.chat = mia.held.chat
    mia.path = f"/api/v1/chats/{mia.chat.pk}"
    mia.poll = f"{mia.path}/events?after={mia.chat.index}"
    seen = {"delivered_index": mia.chat.index, "lease_until": timezone.now() + timedelta(hours=1)}
    Participant.objects.filter(chat=mia.chat, kind="customer").update(**seen)
    Installation.current()
    return mia


def allow(mia, *origins):
    Channel.objects.filter(pk=mia.chat.channel_id).update(allowed_origins=list(origins))


# Polls --------------------------------------------------------------------------------------------------------------------


async def test_a_poll_without_news(mia):
    answer = await same("GET", mia.poll, mia.headers)
    assert answer.body["events"] == []
    assert answer.body["chat"]["agent"]["name"] == "Ann"
    await same("GET", mia.poll, mia.headers | {"Accept": "application/json", "Accept-Language": "de;q=0.8, ar"})
    await same("GET", mia.poll, mia.headers, scheme="https")
    await same("GET", mia.poll, mia.headers | {"Cookie": "theme=dark"})


async def test_a_page_of_an_allowed_site_reads_it(mia):
    await in_thread(allow)(mia, PAGE)
    answer = await same("GET", mia.poll, mia.headers | {"Origin": PAGE})
    assert answer.headers[b"access-control-allow-origin"] == PAGE.encode()
    for own in ("http://127.0.0.1", settings.BASE_URL):
        answer = await same("GET", mia.poll, mia.headers | {"Origin": own})
        assert b"access-control-allow-origin" not in answer.headers
    await in_thread(allow)(mia)
    answer = await same("GET", mia.poll, mia.headers | {"Origin": PAGE}, is_plain=False)
    assert answer.status == 403


async def test_each_change_shows_at_once(mia):
    await same("GET", mia.poll, mia.headers)
    await in_thread(Participant.objects.filter(chat=mia.chat, agent__isnull=False).update)(read_index=2)
    answer = await same("GET", mia.poll, mia.headers)
    assert answer.body["chat"]["read"]["agent"] == 2
    await in_thread(Chat.objects.filter(pk=mia.chat.pk).update)(subject="Parcel")
    assert (await same("GET", mia.poll, mia.headers)).body["chat"]["subject"] == "Parcel"


async def test_what_is_new_is_the_views(mia):
    post = Post(mia.chat.pk, mia.held.customer.pk, "c1", "Hello")
    await in_thread(post_message)(post, now=timezone.now())
    answer = await same("GET", mia.poll, mia.headers, is_plain=False)
    assert [event["text"] for event in answer.body["events"]] == ["Hello"]
    await same("GET", f"{mia.path}/events", mia.headers, is_plain=False)
    await same("GET", f"{mia.path}/events?after=999999", mia.headers, is_plain=False)


async def test_what_is_to_be_noted_beside_is_the_views(mia):
    customers = Participant.objects.filter(chat=mia.chat, kind="customer")
    await in_thread(customers.update)(delivered_index=0)
    assert not (await ask("GET", mia.poll, mia.headers)).was_plain
    assert (await ask("GET", mia.poll, mia.headers)).was_plain
    session = CustomerSession.objects.filter(customer=mia.customer)
    await in_thread(session.update)(expires_at=timezone.now() + SESSION_LIFE - timedelta(days=2))
    assert not (await ask("GET", mia.poll, mia.headers)).was_plain
    assert (await ask("GET", mia.poll, mia.headers)).was_plain


async def test_who_polls_is_there(mia):
    customers = Participant.objects.filter(chat=mia.chat, kind="customer")
    for until in (None, timezone.now(), timezone.now() + CUSTOMER_LEASE - LEASE_AGES):
        await in_thread(customers.update)(lease_until=until)
        assert (await ask("GET", mia.poll, mia.headers)).was_plain
        customer = await in_thread(customers.get)()
        assert customer.lease_until > timezone.now() + CUSTOMER_LEASE - LEASE_AGES
        assert (await ask("GET", mia.poll, mia.headers)).was_plain
        assert (await in_thread(customers.get)()).lease_until == customer.lease_until


async def test_a_chat_that_waits_is_told_its_place(mia, acme, now):
    before = [(await in_thread(make_chat)(acme, now)).chat for _ in range(2)]
    later = now + timedelta(seconds=1)
    await in_thread(Presence.objects.update)(status="offline")
    await in_thread(Occupation.objects.all().delete)()
    await in_thread(Chat.objects.filter(pk=mia.chat.pk).update)(state=Chat.State.QUEUED, queued_at=later, agent=None)
    answer = await same("GET", mia.poll, mia.headers)
    assert answer.body["queue"] == {"position": 3, "wait_seconds": None}
    await in_thread(Queue.objects.update_or_create)(
        team=acme.support, defaults={"center": acme.center, "seconds_per_chat": 100, "moved_at": timezone.now()}
    )
    answer = await same("GET", mia.poll, mia.headers)
    assert answer.body["queue"] == {"position": 3, "wait_seconds": 300}
    await in_thread(close_by_customer)(await in_thread(before[0].participants.get)(), now=now)
    answer = await same("GET", mia.poll, mia.headers)
    assert answer.body["queue"]["position"] == 2


async def test_who_waits_at_no_place_is_told_none(mia, now):
    await in_thread(Chat.objects.filter(pk=mia.chat.pk).update)(state=Chat.State.SEARCHING, agent=None)
    await in_thread(Search.objects.create)(center_id=mia.chat.center_id, chat_id=mia.chat.pk)
    answer = await same("GET", mia.poll, mia.headers)
    assert answer.body["queue"] is None


async def test_a_closed_chat_is_the_views(mia, now):
    await in_thread(close_by_customer)(mia.held.customer, now=now)
    await same("GET", mia.poll, mia.headers, is_plain=False)


async def test_nobody_polls_in_anothers_chat(mia, acme, globex, now):
    for other in [await in_thread(as_customer)(place, now) for place in (acme, globex)]:
        answer = await same("GET", mia.poll, other.headers, is_plain=False)
        assert answer.status == 404
    for token in ("", "Bearer ", "Bearer sk_0123456789abcdef0123", f"Bearer {mia.token}x", f"bearer  {mia.token}"):
        await same("GET", mia.poll, {"Authorization": token} if token else {}, is_plain=False)
    await in_thread(CustomerSession.objects.filter(customer=mia.customer).delete)()
    assert (await same("GET", mia.poll, mia.headers, is_plain=False)).status == 401


async def test_what_may_mean_something_else_is_the_views(mia):
    base, head = f"{mia.path}/events", mia.chat.index
    for query in (
        f"after={head}&limit=1",
        f"after={head}&after={head}",
        f"after=%30{head}",
        "after=-1",
        "after=x",
        "before=1",
    ):
        await same("GET", f"{base}?{query}", mia.headers, is_plain=False)
    twice = [*mia.headers.items(), ("Accept", "*/*"), ("Accept", "*/*")]
    await same("GET", mia.poll, twice, is_plain=False)
    for header in ({"Accept": "application/json; indent=8"}, {"Cookie": f"{settings.SESSION_COOKIE_NAME}=x"}):
        await same("GET", mia.poll, mia.headers | header, is_plain=False)
    await same("HEAD", mia.poll, mia.headers, is_plain=False)


# Messages -----------------------------------------------------------------------------------------------------------------


def told(answer):
    """Without what no two messages share."""
    status, headers, content = answer.said
    body = json.loads(content)
    return status, headers | {b"content-length": b""}, {**body, "client_id": "", "index": 0, "at": ""}


async def test_a_message(mia):
    first = await ask("POST", f"{mia.path}/messages", mia.headers, {"client_id": "a", "text": "One"}, by_view=True)
    second = await ask("POST", f"{mia.path}/messages", mia.headers, {"client_id": "b", "text": "Two"})
    assert (first.was_plain, second.was_plain) == (False, True)
    assert told(second) == told(first)
    assert second.body["index"] == first.body["index"] + 1
    again = await same("POST", f"{mia.path}/messages", mia.headers, body={"client_id": "b", "text": "Two"})
    assert (again.status, again.body["replayed"]) == (200, True)
    said = await in_thread(list)(mia.chat.events.filter(type="message.posted").values_list("text", flat=True))
    assert said[-2:] == ["One", "Two"]


async def test_a_refused_message_is_refused_by_the_view(mia, acme, globex, now):
    path, body = f"{mia.path}/messages", {"client_id": "r", "text": "No"}
    for wrong in (
        {"client_id": "r", "text": " "},
        {"client_id": "r"},
        {"client_id": "", "text": "No"},
        {"client_id": "r", "text": "x" * 70_000},
        {"client_id": "r", "text": "\x00"},
        {"client_id": "r", "text": 5},
        {"client_id": "r" * 65, "text": "No"},
        body | {"note": True},
        [],
        b"{",
    ):
        answer = await same("POST", path, mia.headers, body=wrong, is_plain=False)
        assert 400 <= answer.status < 500
    await same("POST", path, mia.headers | {"Content-Type": "text/plain"}, body=body, is_plain=False)
    for other in [await in_thread(as_customer)(place, now) for place in (acme, globex)]:
        assert (await same("POST", path, other.headers, body=body, is_plain=False)).status == 404
    await in_thread(close_by_customer)(mia.held.customer, now=now)
    assert (await same("POST", path, mia.headers, body=body, is_plain=False)).status == 409
    assert not await in_thread(Event.objects.filter(client_id="r").exists)()


async def test_another_text_under_the_same_id_is_refused(mia):
    path = f"{mia.path}/messages"
    await ask("POST", path, mia.headers, {"client_id": "m", "text": "One"})
    answer = await same("POST", path, mia.headers, body={"client_id": "m", "text": "Two"}, is_plain=False)
    assert answer.status == 409


async def test_what_the_database_cannot_keep_now_is_said_by_the_edge(mia, monkeypatch):
    from chats.errors import Failed, Unavailable

    for refusal, status in ((Unavailable(), 503), (Failed(), 500)):
        monkeypatch.setattr(posters, "_store", lambda posts, refusal=refusal: [refusal for _ in posts])
        answer = await ask("POST", f"{mia.path}/messages", mia.headers, {"client_id": f"u{status}", "text": "Hello"})
        assert (answer.status, set(answer.body)) == (status, {"code", "message"})
