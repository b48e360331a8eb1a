"""A customer's client and an agent, from the first event to the last: what each end hears, and what stands in the log."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.utils import timezone

from chats.actions.close import close_by_agent
from chats.actions.hold import assign_chat
from chats.actions.post import Post, post_message
from chats.actions.read import mark_read
from chats.actions.show import show_typing
from chats.actions.tend import tend_chat
from chats.actions.transfer import transfer_to_team
from chats.models import Chat, Event, Participant
from chats.routing.engine import route_team
from tests.chats.protocols.hyperchat.live.conftest import accept
from tests.conftest import online

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])


def say_as_agent(chat: Chat, agent: Any, text: str) -> None:
    seat = Participant.objects.get(chat=chat, agent=agent)
    post_message(Post(chat.pk, seat.pk, f"a-{text}", text), now=timezone.now())


def seat_of(chat: Chat, agent: Any = None) -> Participant:
    return Participant.objects.get(chat=chat, agent=agent)


async def held(house: Any, place: Any, agent: Any, **options: Any) -> tuple[Any, Any, Chat]:
    """A customer's client in its chat, which the agent has accepted: client, customer, chat."""
    mia = await in_thread(place.user)()
    chat = await in_thread(accept)((await in_thread(place.chat)(mia.foreign)).pk, agent)
    client = await house.user(place, mia, **options)
    answer = await client.ask("chats:join", {"chatId": str(chat.pk)})
    assert answer["chat"]["status"] == "active", answer
    return client, mia, chat


@BOTH
async def test_a_chat_in_queue_mode_from_its_first_event_to_its_last(house, queued, ann, now, transport):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia, transport=transport)
    chat = (await client.ask("chats:create", {"room": "1", "source": 3, "lang": "en"}))["chat"]
    assert (chat["status"], chat["source"], chat["inQueue"]) == ("waiting", 3, True)
    place = await client.until("queues:update")
    assert place["chatId"] == chat["id"]
    assert place["data"]["queuePosition"] == 0

    await in_thread(online)(ann, timezone.now())
    row = await Chat.objects.aget(pk=chat["id"])
    await in_thread(accept)(row.pk, ann)
    joined = await client.until("user:joined")
    assert joined == {
        "chatId": chat["id"],
        "user": {"id": str(ann.pk), "name": "Ann", "nickname": "Ann", "providerId": "contactcenter"},
    }
    said = await client.ask("messages:send", {"chatId": chat["id"], "message": "Hello", "clientId": "c1"})
    assert said["message"]["message"] == "Hello"
    assert said["eventId"] == said["message"]["id"]
    await in_thread(say_as_agent)(row, ann, "Good day")
    answer = await client.until("message:received")
    await client.wait(lambda: client.texts() == ["Hello", "Good day"])
    assert answer["message"] == said["message"]
    assert client.of("message:received")[1]["message"]["sender"] == str(ann.pk)

    assert await client.ask("chats:close", {"chatId": chat["id"]}) == {"success": True}
    closed = await client.until("chat:closed")
    assert closed == {"chatId": chat["id"], "userId": str(mia.foreign.customer_id)}
    names = [name for name, _ in client.seen]
    assert names.index("system:info") < names.index("chat:closed")
    assert client.of("system:info") == [{"chatId": chat["id"], "data": {"ticketId": chat["id"]}}]
    texts = [event.text async for event in Event.objects.filter(chat=row, type="message.posted").order_by("position")]
    assert texts == ["Hello", "Good day"]


async def test_a_chat_in_direct_mode_is_assigned_accepted_and_talked_in(house, direct, ann, now):
    mia = await in_thread(direct.user)()
    client = await house.user(direct, mia)
    chat = (await client.ask("chats:create", {"room": 1}))["chat"]
    assert chat["room"] == 1
    assert await client.ask("chats:assign", {"chatId": chat["id"]}) == {"agent": None}
    await client.until("forever:alone", chatId=chat["id"])

    await in_thread(online)(ann, timezone.now())
    found = await client.ask("chats:assign", {"chatId": chat["id"], "maxAttempts": 3, "interval": 30})
    assert found["agent"]["id"] == str(ann.pk)
    row = await Chat.objects.aget(pk=chat["id"])
    await in_thread(accept)(row.pk, ann)
    assert (await client.until("user:joined"))["user"]["id"] == str(ann.pk)
    assert (await client.ask("chats:get", {"chatId": chat["id"], "fields": "users"}))["chat"]["status"] == "active"


@BOTH
async def test_what_an_agent_types_reads_and_does_is_heard(house, queued, ann, bob, now, transport):
    client, _mia, chat = await held(house, queued, ann, transport=transport)
    said = await client.ask("messages:new", {"chatId": str(chat.pk), "message": "Hi"})
    await client.until("message:received")
    await in_thread(show_typing)(await in_thread(seat_of)(chat, ann), active=True)
    assert await client.until("user:activity") == {"chatId": str(chat.pk), "userId": str(ann.pk), "type": "writing"}
    await in_thread(show_typing)(await in_thread(seat_of)(chat, ann), active=False)
    await client.until("user:activity", type="not-writing")
    await in_thread(mark_read)(await in_thread(seat_of)(chat, ann), 99)
    read = await client.until("message:read")
    assert read["userId"] == str(ann.pk)
    assert read["message"]["id"] == said["message"]["id"]

    await in_thread(assign_chat)(ann.center.chats, chat.pk, bob, now=timezone.now())
    taken = await client.until("chat:intervened")
    assert [user["id"] for user in taken["intervenedUsers"]] == [str(ann.pk)]
    assert taken["interventor"]["id"] == str(bob.pk)
    assert (await client.until("user:left"))["user"]["id"] == str(ann.pk)
    assert (await client.until("user:joined"))["user"]["id"] == str(bob.pk)

    await in_thread(close_by_agent)(bob, chat.pk, now=timezone.now())
    assert (await client.until("chat:closed"))["userId"] == str(bob.pk)


async def test_a_chat_that_is_passed_on_tells_of_its_new_place(house, queued, acme, ann, now):
    client, _mia, chat = await held(house, queued, ann)
    assert client.of("queues:update") == []
    await in_thread(transfer_to_team)(ann, chat.pk, acme.sales, now=timezone.now())
    assert (await client.until("user:left"))["user"]["name"] == "Ann"
    place = await client.until("queues:update")
    assert place["data"]["queuePosition"] == 0


async def test_who_stays_away_too_long_hears_why_the_chat_ended(house, queued, ann, now):
    client, _mia, chat = await held(house, queued, ann)
    await in_thread(say_as_agent)(chat, ann, "Are you there?")
    for seconds in (queued.team.idle_reminder_seconds + 5, queued.team.idle_close_seconds + 5):
        await in_thread(tend_chat)(chat.pk, now=timezone.now() + timedelta(seconds=seconds))
    closed = await client.until("chat:closed")
    assert closed["userId"] == "system"
    assert closed["extraData"] == {"reason": "inactivity"}
    assert client.of("message:received")[1]["message"]["sender"] == "system"


async def test_the_customer_types_reads_and_looks_and_the_agent_side_hears(house, queued, ann, now):
    client, mia, chat = await held(house, queued, ann)
    heard: list[Any] = []
    house.listen(f"staff:{chat.pk}", heard)
    said = {"chatId": str(chat.pk), "type": "writing"}
    assert await client.ask("users:activity", said) == {"success": True}
    assert await client.ask("users:activity", said) == {"success": True}
    assert await client.ask("users:activity", {**said, "type": "not-writing"}) == {"success": True}
    typed = [one["data"]["active"] for one in heard if one.get("what") == "typing"]
    assert typed == [True, False], "the same word twice is told once"

    await in_thread(say_as_agent)(chat, ann, "One")
    await in_thread(say_as_agent)(chat, ann, "Two")
    await client.wait(lambda: client.texts() == ["One", "Two"])
    first = client.of("message:received")[0]["message"]["id"]
    answer = await client.ask("messages:read", {"messageId": first})
    assert answer["message"]["read"] == [str(mia.foreign.customer_id)]
    assert (await client.until("message:read"))["userId"] == str(mia.foreign.customer_id)
    assert await client.ask("user:focus", {}) == {"success": True}
    seat = await in_thread(seat_of)(chat)
    assert seat.read_index == (await Chat.objects.aget(pk=chat.pk)).index


async def test_two_tabs_of_one_customer_hear_the_same_each_once(house, queued, ann, now):
    one, mia, chat = await held(house, queued, ann)
    two = await house.user(queued, mia, transport="polling")
    await two.ask("chats:join", {"chatId": str(chat.pk)})
    for number in range(10):
        tab = (one, two)[number % 2]
        await tab.ask("messages:send", {"chatId": str(chat.pk), "message": f"m{number}"})
    await in_thread(say_as_agent)(chat, ann, "Yes")
    expected = [f"m{number}" for number in range(10)] + ["Yes"]
    await asyncio.gather(*(tab.wait(lambda tab=tab: len(tab.texts()) >= 11) for tab in (one, two)))
    assert one.texts() == two.texts() == expected


async def test_a_repeated_message_is_stored_once(house, queued, ann, now):
    client, _mia, chat = await held(house, queued, ann)
    said = {"chatId": str(chat.pk), "message": "Once", "clientId": "the-same"}
    first, second = await client.ask("messages:send", said), await client.ask("messages:send", said)
    assert first == second
    await client.until("message:received")
    assert client.texts() == ["Once"]


async def test_several_chats_go_through_one_connection(house, queued, ann, now):
    client, mia, chat = await held(house, queued, ann)
    await client.ask("chats:close", {"chatId": str(chat.pk)})
    other = (await client.ask("chats:create", {"room": "2"}))["chat"]
    assert list((await client.ask("users:chats", {"userId": str(mia.foreign.customer_id)}))["chats"]) == [other["id"]]
    await client.ask("messages:send", {"chatId": other["id"], "message": "Here"})
    heard = await client.until("message:received", chatId=other["id"])
    assert heard["message"]["chat"] == other["id"]


async def test_a_customer_has_one_open_chat(house, queued, ann, now):
    client, _mia, _chat = await held(house, queued, ann)
    assert await client.ask("chats:create", {"room": "1"}) == {
        "error": {"code": 409, "message": "User already has a chat"}
    }


async def test_an_earlier_conversation_is_imported_and_given_back(house, queued, ann, now):
    client, mia, chat = await held(house, queued, ann)
    own = str(mia.foreign.customer_id)
    entries = [
        {"sender": "assistant", "type": "text", "message": "How can I help?", "created": 1_700_000_000},
        {"sender": own, "type": "text", "message": "A human, please", "created": 1_700_000_010},
    ]
    answer = await client.ask("history:import", {"chatId": str(chat.pk), "history": entries})
    assert [entry["message"] for entry in answer["history"][:2]] == ["How can I help?", "A human, please"]
    again = await client.ask("chats:join", {"chatId": str(chat.pk)})
    assert [entry["sender"] for entry in again["chat"]["history"][:2]] == ["assistant", own]
    assert await client.ask("chats:history", {"chatId": str(chat.pk)}) == {"history": again["chat"]["history"]}


async def test_both_ways_of_answering_when_nobody_is_there_and_somebody_comes(house, queued, ann, now):
    """A chat waits; its agent comes online and is routed by the engine, not by hand."""
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    chat = (await client.ask("chats:create", {"room": "1"}))["chat"]
    await in_thread(online)(ann, timezone.now())
    await in_thread(route_team)(queued.team.pk, timezone.now())
    row = await Chat.objects.aget(pk=chat["id"])
    await in_thread(accept)(row.pk, ann)
    await client.until("user:joined")
    assert await client.ask("queues:update", {"chatId": chat["id"]}) == {
        "chatId": chat["id"],
        "userId": str(mia.foreign.customer_id),
        "data": {"queuePosition": 0, "estimatedWaitingTime": 0},
    }
