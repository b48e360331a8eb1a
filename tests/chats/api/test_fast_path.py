"""REST's plain calls say what the views say, or nothing."""

import json
import threading
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_thread
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from chats.actions.begin import Begin, Wish, begin_chats
from chats.actions.close import close_by_customer
from chats.actions.locking import lock_customer
from chats.actions.post import Post, post_message
from chats.actions.sessions import SESSION_LIFE
from chats.actions.start import CUSTOMER_LEASE
from chats.api import fast_path
from chats.doors import fast_path as doors_fast_path
from chats.doors.life import LEASE_AGES
from chats.doors.throttles import STARTS_BY_CUSTOMER
from chats.models import Chat, Customer, CustomerSession, Event, Participant, Queue
from chats.sockets import poster as posters
from contactcenter.models import Channel, Installation
from tests.chats.api.conftest import as_customer
from tests.chats.fast_path import ask, ask_all, same
from tests.conftest import make_held_chat

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

PAGE = "https://shop.example"


@pytest.fixture
async def served(transactional_db):
    from chats.sockets import service

    async with service.running():
        yield


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


async def test_a_chat_that_waits_is_the_views(mia, now):
    await in_thread(Chat.objects.filter(pk=mia.chat.pk).update)(state=Chat.State.QUEUED, queued_at=now, agent=None)
    answer = await same("GET", mia.poll, mia.headers, is_plain=False)
    assert answer.body["queue"] is not None


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


# Chats --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def customers(acme, now, served):
    """Some who have no chat yet."""
    return [await in_thread(as_customer)(acme, now) for _ in range(4)]


def begun(answer):
    """Without what no two chats share."""
    status, headers, content = answer.said
    body = json.loads(content)
    return status, headers | {b"content-length": b""}, body | {"chat": body["chat"] | {"id": "", "started_at": ""}}


WISH = {"client_id": "first", "text": "Hello", "subject": "A parcel", "language": "de"}
WISHED = WISH | {"page": {"url": "https://shop.example/a?b=ü", "title": "Our shop"}, "team": "", "form": {"size": "XL"}}


def as_logged(customer):
    """What a customer's only chat and its log say, without what no two share."""
    chat = Chat.objects.get(customer=customer.customer)
    own = {
        "id",
        "customer_id",
        "started_at",
        "queued_at",
        "waiting_since",
        "last_text_at",
        "last_customer_at",
        "due_at",
    }
    facts = {field.attname: getattr(chat, field.attname) for field in Chat._meta.concrete_fields}
    part = chat.participants.get()
    lines = [
        (e.position, e.index, e.type, e.sender_kind, e.sender_id == part.pk, e.text, e.data) for e in chat.events.all()
    ]
    lease = (part.lease_until - chat.started_at, part.joined_at == chat.started_at, part.name)
    return (
        {name: value for name, value in facts.items() if name not in own},
        lines,
        lease,
        chat.due_at - chat.started_at,
    )


async def test_a_chat(customers):
    one, two, *_ = customers
    first = await ask("POST", "/api/v1/chats", one.headers, WISHED, by_view=True)
    second = await ask("POST", "/api/v1/chats", two.headers, WISHED)
    assert (first.was_plain, second.was_plain) == (False, True)
    assert first.status == 201
    assert begun(second) == begun(first)
    assert await in_thread(as_logged)(two) == await in_thread(as_logged)(one)
    again = await same("POST", "/api/v1/chats", two.headers, body=WISHED, is_plain=False)
    assert (again.status, again.body["replayed"], again.body["chat"]["id"]) == (200, True, second.body["chat"]["id"])


async def test_many_chats_at_once(customers):
    answers = await ask_all(
        *(("POST", "/api/v1/chats", one.headers, WISH | {"client_id": "m"}) for one in customers for _ in range(3))
    )
    assert sorted(answer.status for answer in answers) == [200] * 8 + [201] * 4
    assert len({answer.body["chat"]["id"] for answer in answers}) == 4
    for one in customers:
        chat = await in_thread(Chat.objects.get)(customer=one.customer)
        positions = await in_thread(list)(chat.events.values_list("position", flat=True))
        assert positions == list(range(1, chat.position + 1))
        assert await in_thread(chat.events.filter(text="Hello").count)() == 1
    assert await in_thread(Queue.objects.filter(routing_due_at__isnull=False).count)() == 1


async def test_one_that_is_refused_does_not_hinder_the_others(customers):
    refused, *others = customers
    await in_thread(Customer.objects.filter(pk=refused.customer.pk).update)(is_blocked=True)
    answers = await ask_all(*(("POST", "/api/v1/chats", one.headers, WISH) for one in customers))
    assert [answer.status for answer in answers] == [403, 201, 201, 201]
    assert await in_thread(Chat.objects.count)() == len(others)


async def test_a_customer_whose_row_is_held_does_not_hinder_the_others(customers):
    held, *others = customers

    def begin_all():
        begins = [
            Begin(one.opened.session.channel, one.customer.pk, Wish(client_id="h", text="Hello")) for one in customers
        ]
        with transaction.atomic():
            return [started is not None for started in begin_chats(begins, now=timezone.now())]

    def hold(is_held, may_go):
        with transaction.atomic():
            lock_customer(held.customer.pk)
            is_held.set()
            may_go.wait(10)
        connection.close()

    if connection.vendor == "sqlite":  # one writer at a time
        return
    is_held, may_go = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold, args=(is_held, may_go))
    holder.start()
    await in_thread(is_held.wait)(10)
    assert await in_thread(begin_all)() == [False, *(True for _ in others)]
    may_go.set()
    await in_thread(holder.join)()


async def test_a_refused_chat_is_refused_by_the_view(customers, acme, globex, now):
    one = customers[0]
    for wrong in (
        {"text": "Hello"},
        WISH | {"client_id": ""},
        WISH | {"client_id": "x" * 65},
        WISH | {"text": "x" * 70_000},
        WISH | {"text": "\x00"},
        WISH | {"subject": "x" * 201},
        WISH | {"team": "nobody"},
        WISH | {"language": "klingon!"},
        WISH | {"page": []},
        WISH | {"page": {"url": 5}},
        WISH | {"form": {"email": "no address"}},
        WISH | {"form": {"name": "x" * 101}},
        [],
        b"{",
    ):
        answer = await same("POST", "/api/v1/chats", one.headers, body=wrong, is_plain=False)
        assert 400 <= answer.status < 500, wrong
    foreign = await in_thread(globex.center.teams.first)()
    answer = await same("POST", "/api/v1/chats", one.headers, body=WISH | {"team": str(foreign.pk)}, is_plain=False)
    assert answer.status == 400
    assert (
        await same("POST", "/api/v1/chats", {"Authorization": "Bearer " + "x" * 43}, body=WISH, is_plain=False)
    ).status == 401
    assert not await in_thread(Chat.objects.exists)()


async def test_a_page_of_another_site_begins_no_chat(customers):
    one, two, *_ = customers
    await in_thread(Channel.objects.filter(pk=one.opened.session.channel_id).update)(allowed_origins=[PAGE])
    answer = await ask("POST", "/api/v1/chats", one.headers | {"Origin": PAGE}, WISH)
    assert (answer.status, answer.headers[b"access-control-allow-origin"]) == (201, PAGE.encode())
    answer = await same(
        "POST", "/api/v1/chats", two.headers | {"Origin": "https://evil.example"}, body=WISH, is_plain=False
    )
    assert answer.status == 403


async def test_a_database_that_takes_too_long_is_not_waited_for(customers, monkeypatch):
    may_go = threading.Event()
    monkeypatch.setattr(doors_fast_path, "STORED_WITHIN", 0.1)
    monkeypatch.setattr(fast_path, "begin_chats", lambda *_, **__: may_go.wait(10) and [])
    answer = await ask("POST", "/api/v1/chats", customers[0].headers, WISH)
    may_go.set()
    assert (answer.status, set(answer.body)) == (503, {"code", "message"})


async def test_what_is_said_of_a_person_is_the_views(customers):
    one = customers[0]
    answer = await ask(
        "POST", "/api/v1/chats", one.headers, WISH | {"form": {"name": "Mia", "email": "mia@shop.example"}}
    )
    assert (answer.status, answer.was_plain) == (201, False)
    assert (await in_thread(Customer.objects.get)(pk=one.customer.pk)).name == "Mia"


async def test_who_begins_too_often_is_stopped(customers):
    one = customers[0]
    statuses = []
    for turn in range(STARTS_BY_CUSTOMER.per_minute + 1):
        answer = await ask("POST", "/api/v1/chats", one.headers, WISH | {"client_id": f"t{turn}"})
        statuses.append(answer.status)
        await in_thread(close_open)(one.customer)
    assert statuses == [201] * STARTS_BY_CUSTOMER.per_minute + [429]


def close_open(customer):
    for chat in Chat.objects.open().filter(customer=customer):
        close_by_customer(chat.participants.get(agent=None), now=timezone.now())
