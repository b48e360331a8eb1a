"""Whatever is lost on the way: each client ends with the log, in order, each event once."""

import asyncio
import random
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.db import OperationalError

from chats.doors.socketio import engine
from chats.live import hub
from chats.models import Chat
from chats.protocols.hyperchat.live import service
from chats.sockets import gather
from tests.chats.protocols.hyperchat.live.test_talk import held, say_as_agent

TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "polling"])


@pytest.mark.both
@TRANSPORTS
async def test_lost_doubled_and_reordered_announcements_lose_nothing(house, queued, ann, transport):
    client, _mia, chat = await held(house, queued, ann, transport=transport)
    dice = random.Random(7)

    def loses(topic: str, payload: dict[str, Any]) -> bool:
        if payload["kind"] == "event" and dice.random() < 0.3:
            asyncio.get_running_loop().call_later(dice.random() / 10, hub._deliver, topic, payload)  # late, or twice
        return payload["kind"] == "event" and dice.random() < 0.5

    hub.loses = loses
    texts = [f"t{number}" for number in range(30)]
    for text in texts:
        await in_thread(say_as_agent)(chat, ann, text)
    await client.wait(lambda: len(client.texts()) >= 30, 8)
    assert client.texts() == texts
    hub.loses = lambda topic, payload: True
    await client.ask("chats:close", {"chatId": str(chat.pk)})
    await client.until("chat:closed", 8)


@TRANSPORTS
async def test_who_comes_back_names_the_last_message_and_gets_the_rest(house, queued, ann, transport):
    client, mia, chat = await held(house, queued, ann, transport=transport)
    await in_thread(say_as_agent)(chat, ann, "heard")
    last = (await client.until("message:received"))["message"]["id"]
    await client.close()
    for text in ("missed one", "missed two"):
        await in_thread(say_as_agent)(chat, ann, text)
    again = await house.user(queued, mia, transport=transport)
    await again.ask("chats:join", {"chatId": str(chat.pk), "after": last})
    await in_thread(say_as_agent)(chat, ann, "fresh")
    await again.wait(lambda: len(again.texts()) >= 3)
    assert again.texts() == ["missed one", "missed two", "fresh"]
    assert await again.ask("chats:join", {"chatId": str(chat.pk), "after": 10**6})
    assert again.texts() == ["missed one", "missed two", "fresh"]


async def test_who_names_nothing_reads_the_history_and_misses_nothing(house, queued, ann):
    """Messages go on while clients join: each is in the history, in an event, or in both."""
    _client, mia, chat = await held(house, queued, ann)

    async def talk() -> None:
        for number in range(40):
            await in_thread(say_as_agent)(chat, ann, f"n{number}")

    talking = asyncio.ensure_future(talk())
    tabs = []
    for _ in range(4):
        tab = await house.user(queued, mia)
        answer = await tab.ask("chats:join", {"chatId": str(chat.pk)})
        tabs.append((tab, [entry["message"] for entry in answer["chat"]["history"] if entry["type"] == "text"]))
    await talking
    await in_thread(say_as_agent)(chat, ann, "end")
    for tab, history in tabs:
        await tab.wait(lambda tab=tab: "end" in tab.texts())
        assert list(dict.fromkeys(history + tab.texts())) == [f"n{number}" for number in range(40)] + ["end"]


async def test_a_client_that_reads_nothing_is_let_go_and_nobody_waits_for_it(house, queued, ann, monkeypatch):
    monkeypatch.setattr(engine, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr(engine, "MOST_UNREAD", 8)
    reads, mia, chat = await held(house, queued, ann)
    sleeps = await house.user(queued, mia, transport="polling")
    await sleeps.ask("chats:join", {"chatId": str(chat.pk)})
    sleeps.reading.cancel()
    assert len(house.live.clients) == 2
    for number in range(40):
        await in_thread(say_as_agent)(chat, ann, f"x{number}")
    await reads.wait(lambda: len(reads.texts()) == 40)
    await house.until_empty(left=1)
    assert await sleeps.wire.send("3") == 400


async def test_who_goes_while_it_is_let_into_a_chat_leaves_nothing_behind(house, queued, monkeypatch):
    mia = await in_thread(queued.user)()
    chat = await in_thread(queued.chat)(mia.foreign)
    client = await house.user(queued, mia, transport="polling")
    is_gone, begun, own_do = threading.Event(), asyncio.Event(), service.do
    loop = asyncio.get_running_loop()

    def slow(*arguments: Any) -> Any:
        done = own_do(*arguments)
        loop.call_soon_threadsafe(begun.set)
        assert is_gone.wait(10)
        return done

    monkeypatch.setattr(service, "do", slow)
    joining = asyncio.ensure_future(client.say(f'421["chats:join",{{"chatId":"{chat.pk}"}}]'))
    await begun.wait()
    await client.say("1")
    await house.until_empty()
    is_gone.set()
    await joining
    assert f"customer:{chat.pk}" not in hub._listeners


async def test_a_database_that_is_away_for_a_while_loses_nothing(house, queued, ann, monkeypatch):
    client, _mia, chat = await held(house, queued, ann)
    load = gather.pages.load

    def away(_wanted: Any) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(gather.pages, "load", away)
    hub.loses = lambda topic, payload: payload["kind"] == "event"
    await in_thread(say_as_agent)(chat, ann, "kept")
    hub.loses = None
    await asyncio.sleep(0)
    monkeypatch.setattr(gather.pages, "load", load)
    await client.wait(lambda: client.texts() == ["kept"], 8)


@TRANSPORTS
async def test_when_the_server_stops_clients_hear_of_it_and_agents_are_given_back(house, queued, ann, transport):
    client, _mia, chat = await held(house, queued, ann, transport=transport)
    house.stop()
    await client.gone(30)
    await house.stopped
    assert house.live.clients == {}
    assert hub.sockets["hyperchat"] == 0
    assert (await Chat.objects.aget(pk=chat.pk)).state == Chat.State.ACTIVE
