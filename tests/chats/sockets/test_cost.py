"""What a message asks of the database beside its own commit: nothing, where the socket has the chat already."""

from collections import Counter
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chats.actions.guests import invite_guest
from chats.sockets import agent as agent_module
from chats.sockets import gather
from tests.chats.sockets.conftest import offer
from tests.conftest import make_chat, make_held_chat, online

pytestmark = pytest.mark.both

OF_A_MESSAGE = {"_me_in", "_see", "load_chats", "load_pages"}  # the pulse asks for other things meanwhile


@pytest.fixture
def asked(monkeypatch: Any) -> Counter[str]:
    """The names of what sockets of agents ask the database in threads."""
    names: Counter[str] = Counter()

    def counted(hop: Any) -> Any:
        async def ask(function: Any, *args: Any, **options: Any) -> Any:
            names[getattr(function, "__name__", "")] += 1
            return await hop(function, *args, **options)

        return ask

    monkeypatch.setattr(agent_module, "in_thread", counted(agent_module.in_thread))
    monkeypatch.setattr(gather, "in_shared_thread", counted(gather.in_shared_thread))
    return names


async def post_and_hear(client: Any, chat: Any, name: str = "m") -> None:
    posted = await client.ask("post", chat=str(chat), client_id=name, text="Hello")
    assert posted["type"] == "ack", posted
    await client.events_until(posted["position"], by="position")


async def test_the_first_message_in_a_held_chat_asks_nothing(sockets, acme, ann, now, asked):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    await agent.rest()
    asked.clear()
    await post_and_hear(agent, held.chat.pk)
    assert not OF_A_MESSAGE & asked.keys()


async def test_nor_does_the_first_one_in_a_chat_that_was_just_accepted(sockets, acme, ann, now, asked):
    waiting = await sync_to_async(make_chat)(acme, now)
    agent = await sockets.agent(ann, status="online")
    invitation = await sync_to_async(offer)(waiting.chat, ann, now)
    assert (await agent.ask("accept", invitation=str(invitation.pk)))["type"] == "ack"
    await agent.rest()
    asked.clear()
    await post_and_hear(agent, waiting.chat.pk)
    assert not OF_A_MESSAGE & asked.keys()


async def test_nor_does_a_guests(sockets, acme, ann, bob, now, asked):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    await sync_to_async(online)(bob, now)
    guest = await sockets.agent(bob)
    await sync_to_async(invite_guest)(ann, held.chat.pk, bob, now=timezone.now())
    await guest.until("chat")
    assert (await guest.ask("join", chat=str(held.chat.pk)))["type"] == "ack"
    await guest.rest()
    asked.clear()
    await post_and_hear(guest, held.chat.pk)
    assert not OF_A_MESSAGE & asked.keys()


async def test_a_supervisor_who_watches_many_chats_is_told_of_each_message_without_a_question(
    sockets, acme, ann, sue, now, asked
):
    chats = [(await sync_to_async(make_held_chat)(acme, ann, now)).chat.pk for _ in range(3)]
    supervisor, agent = await sockets.agent(sue), await sockets.agent(ann)
    for chat in chats:
        assert (await supervisor.ask("watch", chat=str(chat)))["type"] == "ack"
    await supervisor.rest()
    asked.clear()
    supervisor.seen.clear()
    for name in ("m", "n"):
        for chat in chats:
            await post_and_hear(agent, chat, name)
    await supervisor.rest()
    assert [event["text"] for event in supervisor.events()] == ["Hello"] * 6
    assert not OF_A_MESSAGE & asked.keys()


async def test_a_chat_that_was_taken_away_is_asked_for_anew(sockets, acme, ann, bob, now, asked):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    await sync_to_async(online)(bob, now)
    agent, chat = await sockets.agent(ann), str(held.chat.pk)
    assert (await agent.ask("transfer", chat=chat, agent=str(bob.pk)))["type"] == "ack"
    await agent.until("chat_gone", chat=chat)
    answer = await agent.ask("post", chat=chat, client_id="m", text="Still me")
    assert answer["code"] == "forbidden"
    assert asked["_me_in"] == 1


async def test_typing_in_a_held_chat_reads_the_seat_alone(sockets, acme, ann, now, monkeypatch):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    monkeypatch.setattr(agent_module.AgentSocket, "_see", None)  # whoever holds the chat may see it
    assert (await agent.ask("typing", chat=str(held.chat.pk), active=True))["type"] == "ack"
    assert (await agent.ask("read", chat=str(held.chat.pk), index=1))["type"] == "ack"
