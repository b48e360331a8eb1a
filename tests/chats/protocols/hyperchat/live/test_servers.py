"""Server processes of their own: killed while a customer writes, two side by side with Redis and without."""

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread

from chats.models import Event
from tests.chats.protocols.hyperchat.live.conftest import Client, accept
from tests.chats.sockets.test_server import Server, own_redis, serve  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
SECONDS = 20


@pytest.fixture
async def talk(transactional_db: None, queued: Any, ann: Any) -> AsyncIterator[Any]:
    """`open(server)`: a client of one customer in its chat."""
    mia = await in_thread(queued.user)()
    chat = await in_thread(accept)((await in_thread(queued.chat)(mia.foreign)).pk, ann)
    clients: list[Client] = []

    async def open(server: Server, transport: str = "websocket", **join: Any) -> Client:
        clients.append(Client(server.port, transport))
        await clients[-1].open({"appId": queued.app_id, "token": mia.token})
        answer = await clients[-1].ask("chats:join", {"chatId": str(chat.pk), **join})
        assert "chat" in answer, answer
        return clients[-1]

    open.chat_id = str(chat.pk)
    yield open
    await asyncio.gather(*(client.close() for client in clients))


@pytest.mark.redis
@pytest.mark.parametrize("has_redis", [True, False])
async def test_clients_of_two_processes_hear_the_same(talk, serve, tmp_path, has_redis):  # noqa: F811
    with own_redis(tmp_path) as (url, _process):
        servers = [await in_thread(serve)(name, REDIS_URL=url if has_redis else "") for name in ("one", "two")]
        tabs = [await talk(servers[0]), await talk(servers[1], "polling")]
        for number in range(10):
            await tabs[number % 2].ask("messages:send", {"chatId": talk.chat_id, "message": f"m{number}"})
        for tab in tabs:
            await tab.wait(lambda tab=tab: len(tab.texts()) >= 10, SECONDS)
            assert tab.texts() == [f"m{number}" for number in range(10)]


async def test_a_server_that_is_killed_loses_nothing_that_it_has_acknowledged(talk, serve):  # noqa: F811
    server = await in_thread(serve)("one")
    client = await talk(server)
    shown: list[dict[str, Any]] = []
    for number in range(30):
        said = {"chatId": talk.chat_id, "message": f"m{number}", "clientId": f"c{number}"}
        if number == 12:
            await in_thread(server.end)(signal.SIGKILL)
            await client.gone(SECONDS)
            shown += client.of("message:received")
            await in_thread(server.start)()
            client = await talk(server, after=shown[-1]["message"]["id"])
            # Its client does not know whether the last one arrived, and says it again.
            await client.ask("messages:send", {**said, "message": "m11", "clientId": "c11"})
        assert "message" in await client.ask("messages:send", said)
    await client.wait(lambda: client.texts()[-1:] == ["m29"], SECONDS)
    shown += client.of("message:received")
    assert [one["message"]["message"] for one in shown] == [f"m{number}" for number in range(30)]
    stored = Event.objects.filter(chat=talk.chat_id, type="message.posted").order_by("position")
    assert [event.text async for event in stored] == [f"m{number}" for number in range(30)]


async def test_a_server_that_stops_lets_its_polls_go_at_once(talk, serve):  # noqa: F811
    server = await in_thread(serve)("one")
    polls, sockets = await talk(server, "polling"), await talk(server)
    await in_thread(server.end)(signal.SIGTERM)
    await asyncio.gather(polls.gone(SECONDS), sockets.gone(SECONDS))
    assert server.process.returncode == 0, (server.data / f"{server.port}.log").read_text()
    said = (server.data / f"{server.port}.log").read_text()
    assert "Traceback" not in said
