"""Who comes in, who is thrown out, and what a socket does with clients that misbehave."""

import asyncio
import time
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from agents import presence
from agents.models import Agent, Presence
from chats.live import connected
from chats.models import Chat, Customer, CustomerSession, Participant
from chats.sockets import base, pulse
from contactcenter.accounts import end_sessions
from contactcenter.metrics import socket_work
from tests.chats.sockets.conftest import Client, session_token
from tests.conftest import make_customer, make_held_chat

OUT_AFTER = "open sockets end after their right to be there"


async def test_without_hello_nothing_is_said(sockets, monkeypatch):
    client = await sockets.raw("/ws/v1/customer")
    await client.send("post", ref="1")
    assert (await client.next())["type"] == "bye"
    assert await client.next() == {"type": "closed", "code": 4400}
    monkeypatch.setattr(base, "HELLO_SECONDS", 0.05)
    silent = await sockets.raw("/ws/v1/agent")
    assert (await silent.next())["type"] == "bye"
    assert await silent.next() == {"type": "closed", "code": 4400}


async def test_other_paths_are_no_sockets(live):
    client = Client("/ws/v2/customer")
    client.wire.incoming.put_nowait({"type": "websocket.connect"})
    assert (await client.wire.receive(1))["type"] == "websocket.close"


@pytest.mark.parametrize(("path", "proof"), [("/ws/v1/customer", "token"), ("/ws/v1/agent", "ticket")])
async def test_an_unknown_proof_is_told_and_closed(sockets, path, proof):
    client = await sockets.raw(path)
    await client.send("hello", ref="h", **{proof: "unknown"})
    bye = await client.next()
    assert (bye["type"], bye["code"]) == ("bye", "unauthorized")
    assert await client.next() == {"type": "closed", "code": 4401}


async def test_nothing_but_the_token_itself_opens_a_customers_chat(sockets, acme, ann, now, figures):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    customer = await Customer.objects.aget(pk=held.chat.customer_id)
    token = await sync_to_async(session_token)(acme.channel, customer)
    session = await CustomerSession.objects.aget()
    ticket = await sync_to_async(presence.issue_ticket)(ann, "", timezone.now())
    about = [session.token_hash, session.pk, customer.pk, held.chat.pk, held.customer.pk, acme.channel.key, ticket]
    altered = [token[:-1], token[1:], token + "A", token.swapcase(), token[::-1], token + "\x00", f"{token},{token}"]
    for tried in [*map(str, about), *altered, "", "*", "%", "null", "' OR 1=1 --", "A" * len(token)]:
        client = await sockets.raw("/ws/v1/customer")
        is_in = (await client.ask("hello", token=tried, chat=str(held.chat.pk)))["type"] == "welcome"
        figures.count("forged tokens that opened a chat", found=is_in)
        assert not is_in, tried
    assert (await (await sockets.raw("/ws/v1/customer")).ask("hello", token=token))["type"] == "welcome"


async def test_an_expired_session_and_a_used_ticket_are_worthless(sockets, acme, ann):
    mia = await sync_to_async(make_customer)(acme)
    token = await sync_to_async(session_token)(acme.channel, mia)
    await sync_to_async(CustomerSession.objects.update)(expires_at=timezone.now())
    client = await sockets.raw("/ws/v1/customer")
    assert (await client.ask("hello", token=token))["type"] == "closed"
    ticket = await sync_to_async(presence.issue_ticket)(ann, "", timezone.now())
    first, second = await sockets.raw("/ws/v1/agent"), await sockets.raw("/ws/v1/agent")
    assert (await first.ask("hello", ticket=ticket))["type"] == "welcome"
    assert (await second.ask("hello", ticket=ticket)) == {"type": "closed", "code": 4401}


CUSTOMER_ORIGINS = {
    "https://www.acme.example": True,
    "HTTPS://WWW.ACME.EXAMPLE": True,
    "http://127.0.0.1:8000": True,  # our own frame
    "https://acme.example": False,
    "https://www.acme.example.evil.example": False,
    "http://www.acme.example": False,
    "https://www.globex.example": False,
    "null": False,
    "": False,
}
DESK_ORIGINS = [
    ({"origin": "http://127.0.0.1:8000"}, True),
    ({"origin": "http://localhost:9999", "host": "localhost:9999"}, True),
    ({"origin": "http://evil.example", "host": "evil.example"}, False),
    ({"origin": "http://evil.example"}, False),
    ({"origin": "https://www.acme.example"}, False),  # a customer's site is not the desk
]


async def test_a_customers_page_must_be_allowed(sockets, acme):
    token = await sync_to_async(session_token)(acme.channel, await sync_to_async(make_customer)(acme))
    for origin, is_welcome in CUSTOMER_ORIGINS.items():
        client = await sockets.raw("/ws/v1/customer", origin=origin)
        answer = await client.ask("hello", token=token)
        assert answer["type"] == "welcome" if is_welcome else answer == {"type": "closed", "code": 4403}, origin


async def test_the_desk_is_opened_from_our_own_pages_alone(sockets, acme, ann):
    for headers, is_welcome in DESK_ORIGINS:
        ticket = await sync_to_async(presence.issue_ticket)(ann, "", timezone.now())
        client = await sockets.raw("/ws/v1/agent", **headers)
        answer = await client.ask("hello", ticket=ticket)
        assert answer["type"] == "welcome" if is_welcome else answer == {"type": "closed", "code": 4403}, headers


async def test_a_frame_that_is_too_large_ends_the_socket_with_a_reason(sockets, acme):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    client.send_text('{"type": "pong", "x": "' + "é" * 40_000 + '"}')
    bye = await client.until("bye")
    assert bye["code"] == "too_large"
    assert await client.next() == {"type": "closed", "code": 1009}


async def test_bytes_are_refused(sockets, acme):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    client.wire.incoming.put_nowait({"type": "websocket.receive", "bytes": b"{}"})
    assert (await client.until("error"))["code"] == "invalid"


async def test_a_client_that_does_not_read_is_cut_and_dropped(sockets, acme, monkeypatch):
    monkeypatch.setattr(base, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr(base, "BYE_SECONDS", 0.1)
    monkeypatch.setattr(pulse, "TICK", 0.1)
    dropped = []
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    client.wire.scope["extensions"][base.ABORT] = lambda: dropped.append(True)
    client.wire.reads.clear()
    await client.send("pong", ref="1")
    await asyncio.wait_for(client.wire.task, 5)
    assert dropped == [True]
    assert connected()["customer"] == 0


async def test_a_client_that_lets_everything_pile_up_is_cut(sockets, acme, monkeypatch):
    monkeypatch.setattr(base, "MOST_FRAMES", 20)
    monkeypatch.setattr(base, "BYE_SECONDS", 0.1)
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    client.wire.reads.clear()
    for number in range(30):
        await client.send("pong", ref=str(number))
    await asyncio.wait_for(client.wire.task, 5)


async def test_a_client_that_does_not_answer_is_asked_twice_and_cut(sockets, acme, monkeypatch):
    monkeypatch.setattr(base, "PING_SECONDS", 0.1)
    monkeypatch.setattr(pulse, "TICK", 0.05)
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    await client.until("closed", code=4408)
    pings = client.of("ping")
    assert len(pings) == 2
    assert set(pings[0]) == {"type", "at", "head"}
    assert client.of("bye")


async def test_a_client_that_answers_stays_and_tells_what_it_has(sockets, acme, ann, now, monkeypatch):
    monkeypatch.setattr(base, "PING_SECONDS", 0.1)
    monkeypatch.setattr(pulse, "TICK", 0.05)
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    client = await sockets.customer(acme, await Customer.objects.aget(pk=held.chat.customer_id))
    await client.events_until(held.chat.index)
    for _ in range(4):
        await client.until("ping")
        await client.send("pong", after=held.chat.index)
        frame = await agent.until("ping")
        await agent.send("pong", cursors=frame["heads"])
    delivered = await sync_to_async(lambda: Participant.objects.get(pk=held.customer.pk).delivered_index)()
    assert delivered == held.chat.index
    told = {"type": "delivered", "chat": str(held.chat.pk), "kind": "customer", "index": held.chat.index}
    assert told in agent.of("delivered")
    while not client.of("delivered"):
        await client.send("pong", after=held.chat.index)
        await client.next()
    assert client.of("delivered")[0]["kind"] in {"agent", "customer"}


@pytest.mark.parametrize("how", ["version", "seat", "user", "center"])
async def test_a_revoked_agent_is_out_within_two_seconds(sockets, acme, ann, how, figures):
    def revoke():
        match how:
            case "version":
                end_sessions(ann.user)
            case "seat":
                Agent.objects.filter(pk=ann.pk).update(is_active=False)
            case "user":
                type(ann.user).objects.filter(pk=ann.user_id).update(is_active=False)
            case "center":
                type(acme.center).objects.filter(pk=acme.center.pk).update(is_active=False)

    agent = await sockets.agent(ann)
    await sync_to_async(revoke)()
    begun = time.monotonic()
    assert (await agent.until("bye"))["code"] == "unauthorized"
    assert await agent.next() == {"type": "closed", "code": 4401}
    figures.worst(OUT_AFTER, time.monotonic() - begun, "s")
    assert time.monotonic() - begun < 15  # long before anything else would end it


async def test_who_signs_out_in_one_window_is_out_in_all_of_that_browser(sockets, ann, figures):
    async def window(session):
        client = await sockets.raw("/ws/v1/agent")
        ticket = await sync_to_async(presence.issue_ticket)(ann, session.session_key, timezone.now())
        assert (await client.ask("hello", ticket=ticket))["type"] == "welcome"
        return client

    here, elsewhere = SessionStore(), SessionStore()
    await sync_to_async(here.create)()
    await sync_to_async(elsewhere.create)()
    desk, phone = await window(here), await window(elsewhere)
    bot = await sockets.agent(ann)
    await sync_to_async(here.flush)()
    begun = time.monotonic()
    assert (await desk.until("bye"))["code"] == "unauthorized"
    assert await desk.next() == {"type": "closed", "code": 4401}
    figures.worst(OUT_AFTER, time.monotonic() - begun, "s")
    assert time.monotonic() - begun < 15  # long before anything else would end it
    for other in (phone, bot):
        assert (await other.ask("status", status="away"))["type"] == "ack"


async def test_a_revoked_customer_session_is_out_within_two_seconds(sockets, acme, figures):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    await sync_to_async(CustomerSession.objects.all().delete)()
    begun = time.monotonic()
    assert (await client.until("bye"))["code"] == "unauthorized"
    assert await client.next() == {"type": "closed", "code": 4401}
    figures.worst(OUT_AFTER, time.monotonic() - begun, "s")


async def test_a_revoked_customer_session_begins_no_chat(sockets, acme):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    await sync_to_async(CustomerSession.objects.all().delete)()
    await client.send("start", client_id="late", text="Hello?")
    assert (await client.until("bye"))["code"] == "unauthorized"
    assert await client.next() == {"type": "closed", "code": 4401}
    assert not await sync_to_async(Chat.objects.exists)()


async def test_leases_begin_are_renewed_and_end(sockets, acme, ann, now, monkeypatch):
    monkeypatch.setattr(pulse, "LEASE_EVERY", 0.1)
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    long_ago = now - timedelta(hours=1)

    def leases():
        return (
            Presence.objects.get(agent=ann).lease_until,
            Participant.objects.get(pk=held.customer.pk).lease_until,
        )

    def forget():
        Presence.objects.filter(agent=ann).update(lease_until=long_ago)
        Participant.objects.filter(pk=held.customer.pk).update(lease_until=long_ago)

    agent = await sockets.agent(ann)
    assert (await sync_to_async(leases)())[0] > now
    client = await sockets.customer(acme, await Customer.objects.aget(pk=held.chat.customer_id))
    await sync_to_async(forget)()
    await asyncio.sleep(2)
    agents, customers = await sync_to_async(leases)()
    assert agents > now + timedelta(seconds=40)
    assert customers > now + timedelta(seconds=80)
    await agent.close()
    assert (await sync_to_async(leases)())[0] < timezone.now() + timedelta(seconds=16)
    await client.close()
    assert not any(connected().values())


async def test_what_sockets_did_is_counted(sockets, acme):
    await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    figures = {sample.labels["what"]: sample.value for family in socket_work() for sample in family.samples}
    assert figures["frames_in"] >= 1
    assert figures["frames_out"] >= 1
    assert connected()["customer"] == 1
