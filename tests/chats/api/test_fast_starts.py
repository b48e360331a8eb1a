"""Chats begun by REST's plain calls are those that the view begins."""

import json
import threading

import pytest
from channels.db import database_sync_to_async as in_thread
from django.db import connection, transaction
from django.utils import timezone

from chats.actions.begin import Begin, Wish, begin_chats
from chats.actions.close import close_by_customer
from chats.actions.locking import lock_customer
from chats.api import fast_starts
from chats.doors import fast_path
from chats.doors.throttles import STARTS_BY_CUSTOMER
from chats.models import Chat, Customer, Queue
from contactcenter.models import Channel
from tests.chats.api.conftest import as_customer
from tests.chats.fast_path import ask, ask_all, same

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

PAGE = "https://shop.example"


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
    monkeypatch.setattr(fast_path, "STORED_WITHIN", 0.1)
    monkeypatch.setattr(fast_starts, "begin_chats", lambda *_, **__: may_go.wait(10) and [])
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
