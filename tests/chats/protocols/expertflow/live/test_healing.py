"""Whatever is lost on the way: each gadget ends with the conversation, in order, each message once."""

import asyncio
import random
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.db import OperationalError

from chats.live import hub
from chats.protocols.expertflow import shapes
from chats.protocols.expertflow.live import service
from chats.sockets import gather
from tests.chats.protocols.expertflow.live.conftest import held

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])


@pytest.mark.both
@BOTH
async def test_lost_doubled_and_reordered_announcements_lose_nothing(house, desk, ann, transport):
    talk = await held(desk, ann)
    gadget, tab = await house.gadget(talk, transport=transport), await house.gadget(talk)
    dice = random.Random(11)

    def loses(topic: str, payload: dict[str, Any]) -> bool:
        if payload["kind"] == "event" and dice.random() < 0.3:
            asyncio.get_running_loop().call_later(dice.random() / 10, hub._deliver, topic, payload)  # late, or twice
        return payload["kind"] == "event" and dice.random() < 0.5

    hub.loses = loses
    for number in range(20):
        await in_thread(talk.answered)(ann, f"a{number}")
        await gadget.says(talk, f"c{number}")
    await gadget.wait(lambda: len(gadget.texts()) >= 20, 8)
    await tab.wait(lambda: len(tab.texts()) >= 40, 8)
    assert gadget.texts() == [f"a{number}" for number in range(20)]
    assert tab.texts() == [f"{who}{number}" for number in range(20) for who in "ac"]
    hub.loses = lambda topic, payload: True
    await gadget.ask("endConversation", {"conversationId": talk.id})
    await gadget.arrives(8, activityType="endOfConversation")


@BOTH
async def test_who_joins_anew_while_much_is_said_misses_and_repeats_nothing(house, desk, ann, transport):
    """On new connections and, again and again, on one that has joined already."""
    talk = await held(desk, ann)
    stays = await house.gadget(talk, transport=transport)
    texts = [f"n{number}" for number in range(40)]

    async def speak() -> None:
        for text in texts:
            await in_thread(talk.answered)(ann, text)

    speaking = asyncio.ensure_future(speak())
    gadgets = [stays]
    while not speaking.done():
        await stays.join(talk)
        gadgets.append(await house.gadget(talk, transport=transport))
        if len(gadgets) > 3:
            await gadgets.pop(1).close()
    await speaking
    for gadget in gadgets:
        await gadget.wait(lambda gadget=gadget: len(gadget.all_texts()) >= 40)
        assert gadget.all_texts() == texts
    await in_thread(talk.answered)(ann, "end")
    for gadget in gadgets:
        await gadget.arrives(text="end")
        assert gadget.all_texts() == [*texts, "end"]


async def test_a_database_that_is_away_for_a_while_loses_nothing(house, desk, ann, monkeypatch):
    talk = await held(desk, ann)
    gadget = await house.gadget(talk)
    load = gather.pages.load

    def away(_wanted: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(gather.pages, "load", away)
    hub.loses = lambda topic, payload: payload["kind"] == "event"
    await in_thread(talk.answered)(ann, "kept")
    hub.loses = None
    await asyncio.sleep(0)
    monkeypatch.setattr(gather.pages, "load", load)
    await gadget.wait(lambda: gadget.texts() == ["kept"], 8)


async def test_who_goes_while_it_joins_leaves_nothing_behind(house, desk, ann, monkeypatch):
    talk = await held(desk, ann)
    gadget = await house.client(transport="polling")
    is_gone, begun, own_join = threading.Event(), asyncio.Event(), service.join
    loop = asyncio.get_running_loop()

    def slow(*arguments: Any) -> Any:
        joined = own_join(*arguments)
        loop.call_soon_threadsafe(begun.set)
        assert is_gone.wait(10)
        return joined

    monkeypatch.setattr(service, "join", slow)
    joining = asyncio.ensure_future(
        gadget.say(f'421["joinConversation",{{"conversationId":"{talk.id}","id":"{talk.me}"}}]')
    )
    await begun.wait()
    await gadget.say("1")
    await house.until_empty()
    is_gone.set()
    await joining
    assert not [topic for topic in hub._listeners if topic.startswith(("expertflow:", "customer:"))]


async def test_a_long_conversation_is_told_by_its_last_messages(house, desk, ann, monkeypatch):
    monkeypatch.setattr(shapes, "MOST_MESSAGES", 3)
    talk = await held(desk, ann)
    for number in range(5):
        await in_thread(talk.answered)(ann, f"a{number}" * 10)
    gadget = await house.gadget(talk)
    assert [said["text"][:2] for said in gadget.info()["messages"]] == ["a2", "a3", "a4"]
    monkeypatch.setattr(shapes, "MOST_CHARACTERS", 45)
    await gadget.join(talk)
    assert [said["text"][:2] for said in gadget.info()["messages"]] == ["a3", "a4"]
    monkeypatch.setattr(shapes, "MOST_CHARACTERS", 1)
    await gadget.join(talk)
    assert [said["text"][:2] for said in gadget.info()["messages"]] == ["a4"]


@BOTH
async def test_when_the_server_stops_nothing_is_left_of_its_clients(house, desk, ann, transport):
    talk = await held(desk, ann)
    gadget = await house.gadget(talk, transport=transport)
    house.stop()
    await gadget.gone(8)
    await house.stopped
    assert house.live.clients == {}
    assert hub.sockets["expertflow"] == 0
    assert not [topic for topic in hub._listeners if topic.startswith(("expertflow:", "customer:"))]
