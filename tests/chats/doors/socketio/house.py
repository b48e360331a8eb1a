"""A real server in the test's own event loop, and a client that speaks Engine.IO and Socket.IO by hand: it can also say what no client would.

What the doors' tests share: each has its own address and its own words.
"""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chats.doors.socketio.service import Service
from chats.live import hub
from chats.sockets.pulse import pulse
from contactcenter import asgi
from contactcenter.server import configuration

SECONDS = 10  # on a busy machine
GONE = ""


class Websocket:
    """One transport: texts out, texts in."""

    def __init__(self, port: int, path: str, origin: str | None) -> None:
        self.address = f"ws://127.0.0.1:{port}{path}websocket"
        self.origin = origin

    async def open(self) -> None:
        self.wire = await connect(self.address, origin=self.origin, compression=None, max_size=None)

    async def send(self, text: str | bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.wire.send(text)

    async def receive(self) -> list[str]:
        try:
            return [await self.wire.recv()]
        except ConnectionClosed:
            return [GONE]

    async def close(self) -> None:
        await self.wire.close()


class Polling:
    def __init__(self, port: int, path: str, origin: str | None) -> None:
        headers = {"Origin": origin} if origin else {}
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)
        self.address = f"{path}polling"

    async def open(self) -> None:
        pass

    async def send(self, text: str) -> int:
        return (await self.http.post(self.address, content=text)).status_code

    async def receive(self) -> list[str]:
        answer = await self.http.get(self.address)
        if answer.status_code != 200:
            return [GONE]
        packets = answer.text.split("\x1e")
        if packets[0].startswith("0"):
            self.address += f"&sid={json.loads(packets[0][1:])['sid']}"
        return packets

    async def close(self) -> None:
        await self.http.aclose()


TRANSPORTS: dict[str, Callable[..., Any]] = {"websocket": Websocket, "polling": Polling}


class Client:
    """What came is kept: `seen` of [name, data]. `path`: the door's address with its query, up to the transport's name."""

    path: str

    def __init__(self, port: int, transport: str = "websocket", origin: str | None = None, query: str = "") -> None:
        self.wire = TRANSPORTS[transport](port, self.path.replace("?", f"?{query}&" if query else "?"), origin)
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[int, Any] = {}
        self.news = asyncio.Condition()
        self.refusal: dict[str, Any] | None = None
        self.is_connected = self.is_gone = False
        self.number = 0
        self.reading: asyncio.Task[None] | None = None

    async def open(self, auth: dict[str, Any] | None = None) -> "Client":
        """Connected, or refused."""
        await self.wire.open()
        self.reading = asyncio.ensure_future(self._read())
        await self.wait(lambda: self.session or self.is_gone)
        await self.say("40" + (json.dumps(auth) if auth is not None else ""))
        await self.wait(lambda: self.is_connected or self.refusal or self.is_gone)
        return self

    session = ""

    async def say(self, packet: Any) -> Any:
        """A raw packet."""
        return await self.wire.send(packet)

    async def ask(self, name: str, *data: Any) -> Any:
        """An event with an acknowledgement: what it carries."""
        self.number += 1
        number = self.number
        await self.say(f"42{number}{json.dumps([name, *data])}")
        await self.wait(lambda: number in self.answers or self.is_gone)
        assert number in self.answers, f"{name}: no answer, the connection has ended"
        return self.answers[number]

    async def until(self, name: str, seconds: float = SECONDS, **fields: Any) -> dict[str, Any]:
        """The first event of this name with these members that came, or that comes."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [data for data in self.of(name) if all(data.get(key) == value for key, value in fields.items())]
            return bool(found)

        await self.wait(is_there, seconds)
        return found[0]

    async def wait(self, condition: Callable[[], Any], seconds: float = SECONDS) -> None:
        async with asyncio.timeout(seconds), self.news:
            await self.news.wait_for(condition)

    async def gone(self, seconds: float = SECONDS) -> None:
        await self.wait(lambda: self.is_gone, seconds)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [data for said, data in self.seen if said == name]

    async def _read(self) -> None:
        while not self.is_gone:
            for packet in await self.wire.receive():
                await self._take(packet)
            async with self.news:
                self.news.notify_all()

    async def _take(self, packet: str) -> None:
        kind, rest = packet[:2], packet[2:]
        if packet in (GONE, "1", "41"):
            self.is_gone = True
        elif packet[0] == "0":
            self.session = json.loads(packet[1:])["sid"]
        elif packet == "2":
            await self.say("3")
        elif kind == "40":
            self.is_connected = True
        elif kind == "44" and not rest.startswith("/"):  # of another namespace
            self.refusal = json.loads(rest)
        elif kind == "42":
            name, data = json.loads(rest)
            self.seen.append((name, data))
        elif kind == "43":
            number, _, answer = rest.partition("[")
            self.answers[int(number)] = json.loads(f"[{answer}")[0]

    async def close(self) -> None:
        if self.reading:
            self.reading.cancel()
            await asyncio.gather(self.reading, return_exceptions=True)
        await self.wire.close()


class House:
    """The server, and who has come. `live`: the door's service; `client_class`: who speaks to it; `origin`: of its pages."""

    live: Service[Any]
    client_class: type[Client]
    origin: str

    def __init__(self, port: int, server: uvicorn.Server, serving: "asyncio.Future[None]") -> None:
        self.port, self.server, self.stopped = port, server, serving
        self.clients: list[Client] = []
        self.listening: list[tuple[str, Any]] = []

    async def client(
        self, auth: Any = None, *, transport: str = "websocket", origin: str | None = "", query: str = "", **said: Any
    ) -> Any:
        """`origin`: None for what is no browser."""
        client = self.raw(transport, origin, query)
        return await client.open(auth if auth is not None else said or None)

    def stop(self) -> None:
        """As our own server stops: polls are ended before connections are waited for."""
        asgi.edge.stop()
        self.server.should_exit = True

    def listen(self, topic: str, heard: list[Any]) -> None:
        """Keep what is announced on a topic."""
        listener = lambda _topic, payload: heard.append(payload)  # noqa: E731
        self.listening.append((topic, listener))
        hub.subscribe(topic, listener)

    def renew_leases(self) -> None:
        """At the next beat, not after its ten seconds."""
        pulse.leased_at = -1000.0

    async def until_in_database(self, rows: Any, seconds: float = SECONDS) -> None:
        """Until such a row is there: what only the database shows is looked for."""
        async with asyncio.timeout(seconds):
            while not await rows.aexists():
                await asyncio.sleep(0.02)

    async def until_empty(self, left: int = 0) -> None:
        """Until so many connections are left."""
        async with asyncio.timeout(SECONDS):
            while len(self.live.clients) > left:
                await asyncio.sleep(0.02)

    async def until_ended(self, left: int = 0) -> None:
        """Until so many sessions are left, of connections that logged in and of those that never did."""
        async with asyncio.timeout(SECONDS):
            while sum(not session.closed for session in self.live.gate.engine.sessions.values()) > left:
                await asyncio.sleep(0.02)

    def raw(self, transport: str = "websocket", origin: str | None = "", query: str = "") -> Any:
        """Not opened yet."""
        page = self.origin if origin == "" else origin
        self.clients.append(self.client_class(self.port, transport, page, query))
        return self.clients[-1]


@contextlib.asynccontextmanager
async def serving(house_class: type[House]) -> AsyncIterator[Any]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(configuration(trusted_proxies=[]))
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        house = house_class(listening.getsockname()[1], server, serving)
        yield house
        hub.loses = None
        for topic, listener in house.listening:
            hub.unsubscribe(topic, listener)
        await asyncio.gather(*(client.close() for client in house.clients))
        house.stop()
        await serving
        asgi.edge.is_stopping = False


@pytest.fixture(autouse=True)
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client sends may be an error of ours; a test that makes one clears it."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
