"""Who writes and who reads over sockets, and how long it takes. Our server and the floor are spoken to with the same words."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import uvloop

from bench.cast import Held, ticket_of
from bench.site import Running, Site
from bench.sums import Row, milliseconds
from bench.wires import WebSocket, open_socket

names = count(1)  # never the same twice: the server would know a repeat
clock = time.perf_counter
PATIENCE = 60  # seconds for what is on its way when the time is over


class Faulty(Exception):
    """What was measured was not right: refused, missing, doubled or out of order."""


@dataclass
class Tally:
    """What the writers and readers of one crowd have seen."""

    sent: dict[str, float] = field(default_factory=dict)  # name → when
    acknowledged: int = 0
    delivered: list[float] = field(default_factory=list)  # seconds from sending until the other has it
    faults: list[str] = field(default_factory=list)


class Writer:
    """An agent's socket. Each of its chats has a writer; `again` is called at each acknowledgement."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.again: dict[str, Callable[[], None]] = {}  # name of a message on its way → what comes then

    async def open(self, port: int, ticket: str) -> "Writer":
        self.welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.socket = await open_socket(port, "/ws/v1/agent", self.hear)
        self.socket.send({"type": "hello", "ref": "h", "ticket": ticket})
        await self.welcome
        return self

    def post(self, chat: str, again: Callable[[], None]) -> None:
        name = f"m{next(names)}"
        self.again[name] = again
        self.tally.sent[name] = clock()
        self.socket.send({"type": "post", "ref": name, "chat": chat, "client_id": name, "text": f"Message {name}"})

    def hear(self, raw: bytes) -> None:
        if raw.startswith(b'{"type":"events"'):
            return
        said = json.loads(raw)
        if said["type"] == "ack" and said["ref"] in self.again:
            self.tally.acknowledged += 1
            self.again.pop(said["ref"])()
        elif said["type"] == "welcome":
            self.welcome.set_result(None)
        elif said["type"] == "ping":
            self.socket.send({"type": "pong"})
        elif said["type"] in ("error", "bye"):
            self.tally.faults.append(raw.decode())


class Reader:
    """A socket that gets what is written: a customer's, or a supervisor's that watches many chats. Notices what is missing."""

    socket: WebSocket

    def __init__(self, tally: Tally, number: str) -> None:
        self.tally, self.number = tally, number  # `index` for customers, `position` for staff
        self.last: dict[str, int] = {}  # chat → number
        self.welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, port: int, path: str, **proof: str) -> "Reader":
        self.socket = await open_socket(port, path, self.hear)
        self.socket.send({"type": "hello", "ref": "h", **proof})
        await self.welcome
        return self

    async def watch(self, chat: str) -> None:
        self.welcome = asyncio.get_running_loop().create_future()
        self.socket.send({"type": "watch", "ref": "w", "chat": chat})
        await self.welcome

    def hear(self, raw: bytes) -> None:
        now, said = clock(), json.loads(raw)
        if said["type"] == "events":
            self.take(said["chat"], said["events"], now)
        elif said["type"] in ("welcome", "ack"):
            self.welcome.set_result(None)
        elif said["type"] == "ping":
            self.socket.send({"type": "pong"})
        elif said["type"] in ("error", "bye"):
            self.tally.faults.append(raw.decode())

    def take(self, chat: str, events: list[dict[str, Any]], now: float) -> None:
        for event in events:
            last, at = self.last.get(chat), event[self.number]
            if last is not None and at != last + 1:
                self.tally.faults.append(f"{self.number} {at} after {last}")
            self.last[chat] = at
            sent = self.tally.sent.pop(event.get("client_id") or "", None)
            if sent is not None:
                self.tally.delivered.append(now - sent)


class Crowd:
    """Writers with the chats that they write in, and readers of these chats, all on one server."""

    def __init__(self, site: Site, server: Running) -> None:
        self.site, self.server = site, server
        self.tally = Tally()
        self.talks: list[tuple[Writer, str]] = []
        self.readers: list[Reader] = []
        self.is_over = False

    async def add_pair(self, ticket: str, token: str, chat: str) -> None:
        self.talks.append((await Writer(self.tally).open(self.server.port, ticket), chat))
        self.readers.append(await Reader(self.tally, "index").open(self.server.port, "/ws/v1/customer", token=token))

    async def closed(self, in_flight: int, seconds: float) -> Row:
        """Each writer has so many messages on their way, all the time."""
        self.is_over = False
        for writer, chat in self.talks:
            for _ in range(in_flight):
                self._go_on(writer, chat)
        return await self._measured(seconds)

    async def open(self, rate: float, seconds: float) -> Row:
        """So many messages a second, however fast they are answered."""
        self.is_over = False
        pace = asyncio.ensure_future(self._keep_pace(rate))
        row = await self._measured(seconds)
        await pace
        return row

    def close(self) -> None:
        for socket in [writer.socket for writer, _ in self.talks] + [reader.socket for reader in self.readers]:
            socket.close()

    def _go_on(self, writer: Writer, chat: str) -> None:
        if not self.is_over:
            writer.post(chat, lambda: self._go_on(writer, chat))

    async def _keep_pace(self, rate: float) -> None:
        begun = clock()
        for turn in count():
            await asyncio.sleep(max(begun + turn / rate - clock(), 0))
            if self.is_over:
                return
            writer, chat = self.talks[turn % len(self.talks)]
            writer.post(chat, lambda: None)

    async def _measured(self, seconds: float) -> Row:
        """What happened in so many seconds, after a moment of running in."""
        await asyncio.sleep(seconds / 10)
        self.tally.delivered.clear()
        used = Used(self.site, self.server)
        await asyncio.sleep(seconds)
        times = self.tally.delivered.copy()
        row = {"messages/s": len(times) / used.seconds()} | used.row(len(times)) | milliseconds(times)
        self.is_over = True
        await self._drain()
        return row

    async def _drain(self) -> None:
        """What is on its way arrives. Raises Faulty."""
        end = clock() + PATIENCE
        while self.tally.sent and clock() < end:  # noqa: ASYNC110 - messages are dropped from it by their hundreds
            await asyncio.sleep(0.02)
        if self.tally.sent or self.tally.faults:
            late = f"{len(self.tally.sent)} of {self.tally.acknowledged} missing after {PATIENCE} s"
            raise Faulty(f"port {self.server.port}: {late}; {self.tally.faults[:3]}")


class Used:
    """What the server, its database and we use from now on."""

    def __init__(self, site: Site, server: Running) -> None:
        self.site, self.server = site, server
        self.begun = self._now()

    def seconds(self) -> float:
        return clock() - self.begun[0]

    def row(self, done: int) -> Row:
        """µs of each thing done, and shares of a core."""
        wall, server, database, ours = (now - then for now, then in zip(self._now(), self.begun, strict=True))
        each = 1e6 / max(done, 1)
        told = {"database µs": database * each} if self.site.database else {}
        return {"server µs": server * each, **told, "server": server / wall, "client": ours / wall}

    def _now(self) -> tuple[float, float, float, float]:
        return clock(), self.server.cpu(), self.site.database_cpu(), time.process_time()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return uvloop.run(work)


async def pairs(site: Site, held: Sequence[Held]) -> dict[str, Crowd]:
    """Each chat's agent and customer on sockets of their own, at our server and, as many, at the floor."""
    crowds = {"floor": Crowd(site, site.floor), "product": Crowd(site, site.web)}
    for turn, one in enumerate(held):
        await crowds["floor"].add_pair("", str(turn), str(turn))
        await crowds["product"].add_pair(ticket_of(one.agent), one.token, str(one.chat.pk))
    return crowds


async def alternated(
    site: Site, crowds: dict[str, Crowd], act: Callable[[Crowd], Coroutine[Any, Any, Row]]
) -> dict[str, list[Row]]:
    """Rounds of one crowd after the other: what disturbs the machine for a while disturbs both."""
    found: dict[str, list[Row]] = {name: [] for name in crowds}
    for _ in range(site.rounds):
        for name, crowd in crowds.items():
            await asyncio.sleep(site.pause)
            site.settle()
            found[name].append(await act(crowd))
    return found
