"""A customer and an agent talk: every step asserted at both ends."""

import pytest
from asgiref.sync import sync_to_async

from chats.models import Chat
from tests.chats.sockets.conftest import offer
from tests.conftest import make_chat, make_customer, make_held_chat

pytestmark = [pytest.mark.both]


@pytest.fixture
def mia(acme):
    return make_customer(acme)


async def test_from_start_to_survey(sockets, acme, ann, mia, now):
    customer = await sockets.customer(acme, mia)
    assert customer.welcome["chat"] is None
    agent = await sockets.agent(ann, status="online")
    started = await customer.ask("start", client_id="s1", text="Hello", form={"name": "Mia"}, team="support")
    assert (started["type"], started["replayed"], started["chat"]["state"]) == ("ack", False, "queued")
    await customer.events_until(started["index"])
    chat_id = started["chat"]["id"]

    invitation = await sync_to_async(offer)(await Chat.objects.aget(pk=chat_id), ann, now)
    offered = await agent.until("invitation")
    assert offered["invitation"]["id"] == str(invitation.pk)
    accepted = await agent.ask("accept", invitation=str(invitation.pk))
    assert accepted["chat"]["state"] == "active"
    assert accepted["chat"]["held"] is True
    assert (await customer.until("chat"))["chat"]["agent"]["name"] == "Ann"

    posted = await agent.ask("post", chat=chat_id, client_id="a1", text="How can I help?")
    assert posted["type"] == "ack"
    await customer.events_until(posted["index"])
    assert customer.events()[-1]["text"] == "How can I help?"
    assert "position" not in customer.events()[-1]

    answered = await customer.ask("post", chat=chat_id, client_id="c1", text="With boots")
    events = await agent.events_until(answered["index"])
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))

    closed = await agent.ask("close", chat=chat_id, comment="done")
    assert closed["type"] == "ack"
    gone = await agent.until("chat_gone")
    assert gone == {"type": "chat_gone", "chat": chat_id, "reason": "closed"}
    while customer.of("chat")[-1]["chat"]["state"] != "closed":
        await customer.until("chat")
    surveyed = await customer.ask("survey", chat=chat_id, rating=5, comment="Great")
    assert surveyed["type"] == "ack"
    assert [event["index"] for event in customer.events()] == list(range(1, len(customer.events()) + 1))


async def test_a_held_chat_is_there_after_connecting_again(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    assert [chat["id"] for chat in agent.welcome["chats"]] == [str(held.chat.pk)]
    events = await agent.events_until(held.chat.position, by="position")
    assert [event["position"] for event in events] == list(range(1, held.chat.position + 1))


async def test_waiting_customers_are_told_their_place(sockets, acme, mia, now):
    await sync_to_async(make_chat)(acme, now)
    customer = await sockets.customer(acme, mia)
    await customer.ask("start", client_id="s1")
    place = await customer.until("queue")
    assert (place["position"], place["wait_seconds"]) == (2, None)
