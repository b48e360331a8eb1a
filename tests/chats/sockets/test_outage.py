"""A database that is away for a moment, and clients that say too much: nobody is blamed, cut or left with an old picture."""

import asyncio
import threading
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from agents import presence
from agents.models import Presence
from chats.actions.offer import accept_invitation, decline_invitation
from chats.actions.post import Post, Posted
from chats.errors import Failed
from chats.live import hub
from chats.models import Chat
from chats.sockets import base, gather, threads
from chats.sockets import poster as poster_module
from chats.sockets.base import Socket
from chats.sockets.poster import Poster
from chats.sockets.pulse import pulse
from tests.chats.sockets.conftest import offer, session_token
from tests.conftest import make_chat, make_customer, make_held_chat

pytestmark = [pytest.mark.both]


class Outage:
    """Reads of one kind fail until it is over; `met` counts those that did."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: gather.Gather[Any, Any]) -> None:
        self.met, self.is_over, self.real = 0, False, kind.load
        monkeypatch.setattr(kind, "load", self.load)

    def load(self, keys: list[Any]) -> dict[Any, Any]:
        if self.is_over:
            return self.real(keys)
        self.met += 1
        raise OperationalError("away")


async def meet(client: Any, outage: Outage) -> None:
    """Until the outage was met, and then it is over."""
    deadline = time.monotonic() + 5
    while not outage.met:
        assert time.monotonic() < deadline
        await client.rest(0.05)
    outage.is_over = True


async def test_a_customer_hears_of_the_agent_after_the_outage(sockets, acme, ann, now, monkeypatch):
    started = await sync_to_async(make_chat)(acme, now)
    client = await sockets.customer(acme, started.chat.customer)
    await client.rest()
    client.seen.clear()
    outage = Outage(monkeypatch, gather.chats)
    invitation = await sync_to_async(offer)(started.chat, ann, now)
    await sync_to_async(accept_invitation)(ann, invitation.pk, now=now)
    await meet(client, outage)
    told = await client.until("chat")
    assert told["chat"]["state"] == "active"


async def test_a_desk_is_told_of_its_chat_after_the_outage(sockets, acme, ann, now, monkeypatch):
    client = await sockets.agent(ann, status="online")
    started = await sync_to_async(make_chat)(acme, now)
    invitation = await sync_to_async(offer)(started.chat, ann, now)
    await client.until("invitation")
    outage = Outage(monkeypatch, gather.chats)
    await sync_to_async(accept_invitation)(ann, invitation.pk, now=now)
    await meet(client, outage)
    assert (await client.until("chat"))["chat"]["id"] == str(started.chat.pk)
    assert (await client.until("events"))["chat"] == str(started.chat.pk)


async def test_an_offer_that_ended_in_the_outage_leaves_the_desk_after_it(sockets, acme, ann, now, monkeypatch):
    client = await sockets.agent(ann, status="away")
    started = await sync_to_async(make_chat)(acme, now)
    invitation = await sync_to_async(offer)(started.chat, ann, now)
    await client.until("invitation")
    outage = Outage(monkeypatch, gather.endings)
    await sync_to_async(decline_invitation)(ann, invitation.pk, now=now)
    await meet(client, outage)
    assert (await client.until("invitation_ended"))["id"] == str(invitation.pk)


async def test_a_hello_that_meets_an_outage_is_to_be_said_again_elsewhere(sockets, acme, ann, monkeypatch):
    outage = Outage(monkeypatch, gather.boards)
    client = await sockets.raw("/ws/v1/agent")
    ticket = await sync_to_async(presence.issue_ticket)(ann, "", timezone.now())
    await client.send("hello", ref="h", ticket=ticket)
    answers = [await client.next() for _ in range(3)]
    assert [answer["type"] for answer in answers] == ["error", "bye", "closed"]
    assert answers[0]["code"] == answers[1]["code"] == "unavailable"
    assert answers[2]["code"] == 1013
    outage.is_over = True
    await sockets.agent(ann)


async def test_our_own_slowness_is_not_the_clients_fault(sockets, acme, ann, monkeypatch):
    monkeypatch.setattr(base, "HELLO_SECONDS", 0.2)
    real = gather.boards.load

    def slow(keys):
        time.sleep(0.6)
        return real(keys)

    monkeypatch.setattr(gather.boards, "load", slow)
    await sockets.agent(ann)  # asserts the welcome
    silent = await sockets.raw("/ws/v1/customer")
    assert (await silent.until("closed"))["code"] == 4400


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "http://"])
async def test_a_broken_origin_is_not_allowed(sockets, acme, origin):
    client = await sockets.raw("/ws/v1/customer", Origin=origin)
    token = await sync_to_async(session_token)(acme.channel, await sync_to_async(make_customer)(acme))
    await client.send("hello", token=token)
    assert [(await client.next())["type"] for _ in range(2)] == ["bye", "closed"]


async def test_numbers_without_end_are_refused(sockets, acme):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    for number in ("1" + "0" * 400, "1" + "0" * 5000, "-1e999"):
        client.send_text('{"type":"start","ref":"n","client_id":"1","data":{"n":' + number + "}}")
        assert (await client.until("error"))["code"] == "invalid"


async def test_who_types_without_end_is_heard_at_times_and_cuts_nobody(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    customer = await sockets.customer(acme, await sync_to_async(lambda: held.chat.customer)())
    await agent.rest()
    agent.wire.reads.clear()
    for number in range(3000):
        await customer.send("typing", chat=str(held.chat.pk), active=True, text=f"{number}")
    assert (await customer.ask("read", chat=str(held.chat.pk), index=1))["type"] == "ack"
    agent.wire.reads.set()
    heard = [frame for frame in await agent.rest(0.6) if frame["type"] == "typing"]
    assert 2 <= len(heard) <= 12
    assert heard[-1]["text"] == "2999"


async def test_whispers_do_not_pile_up_for_a_client_that_does_not_read(sockets, acme, ann, now):
    await sockets.agent(ann)
    socket = next(one for one in Socket.everyone if one.kind == "agent")
    socket._has_frames.clear()
    told = sum(socket.whisper('{"type":"typing"}') for _ in range(5000))
    assert told <= base.WHISPERS_UNTIL
    assert not socket._ending.done()


async def test_what_was_typed_before_a_message_is_not_heard_after_it(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    customer = await sockets.customer(acme, await sync_to_async(lambda: held.chat.customer)())
    await agent.rest()
    chat = str(held.chat.pk)
    for text in ("H", "Hi"):
        await customer.send("typing", chat=chat, active=True, text=text)
    assert (await customer.ask("post", chat=chat, client_id="1", text="Hi"))["type"] == "ack"
    heard = [frame["type"] for frame in await agent.rest(0.6) if frame["type"] in ("typing", "events")]
    assert heard == ["typing", "events"]


def test_no_fault_ends_the_posters_thread(acme, ann, now, monkeypatch, transactional_db):
    held = make_held_chat(acme, ann, now)
    poster, real = Poster(), poster_module._store

    def faulty(posts):
        if any(post.text == "bad" for post in posts):
            raise RuntimeError("fault")
        return real(posts)

    monkeypatch.setattr(poster_module, "_store", faulty)
    outcome = poster.submit(Post(held.chat.pk, held.agent.pk, "1", "bad")).result(5)
    assert isinstance(outcome, Failed)
    assert isinstance(poster.submit(Post(held.chat.pk, held.agent.pk, "2", "good")).result(5), Posted)
    poster.stop()
    assert Chat.objects.get(pk=held.chat.pk).last_text == "good"


async def test_a_rush_of_frames_does_not_keep_leases_and_logs_waiting(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    customer = await sockets.customer(acme, await sync_to_async(lambda: held.chat.customer)())
    await agent.rest()
    release = threading.Event()
    # Every thread for single clients' frames is busy, and more are waiting.
    busy = [asyncio.ensure_future(threads.in_thread(release.wait, 10)) for _ in range(threads.THREADS * 3)]
    try:
        await sync_to_async(Presence.objects.filter(agent=ann).update)(lease_until=now)
        pulse.leased_at = 0.0
        hub.loses = lambda topic, payload: True
        assert (await customer.ask("post", chat=str(held.chat.pk), client_id="1", text="Hi"))["type"] == "ack"
        # Found by the pulse, read from the log: nothing was announced.
        while not any(event["text"] == "Hi" for event in agent.events()):
            await agent.until("events", 4)
        assert (await Presence.objects.aget(agent=ann)).is_leased(now)
    finally:
        release.set()
        await asyncio.gather(*busy)
