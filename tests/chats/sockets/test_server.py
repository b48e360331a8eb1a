"""Real servers and real websockets: killed while posting, clients that do not read, two processes with Redis and without."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from agents import presence
from bench.machine import memory_of
from chats.models import Customer, Event
from tests.chats.sockets.conftest import session_token
from tests.conftest import make_held_chat

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """This run's test database, for another process."""
    about = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{about['NAME']}"
    return f"postgres://{about['USER']}:{about['PASSWORD']}@{about['HOST']}:{about['PORT']}/{about['NAME']}"


class Server:
    """`manage.py serve` on the test's own database."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket_url = self.url.replace("http", "ws")
        names = {"DATABASE_URL": database_url(), "DATA_DIR": str(data), "BASE_URL": self.url, "DATABASE_POOL_MAX": "8"}
        self.environment = {**os.environ, **names, **environment}
        self.data = data

    def start(self) -> "Server":
        self.data.mkdir(exist_ok=True)
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        with (self.data / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return self
            assert self.process.poll() is None, (self.data / f"{self.port}.log").read_text()
            time.sleep(0.1)
        raise AssertionError("The server did not start.")

    def end(self, how: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def sockets(self, kind: str) -> int:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        line = next(line for line in text.splitlines() if line.startswith(f'contactcenter_sockets{{kind="{kind}"}}'))
        return int(float(line.split()[-1]))


@pytest.fixture
def serve(transactional_db: None, tmp_path: Path):
    started: list[Server] = []

    def start(name: str = "one", **environment: str) -> Server:
        started.append(Server(tmp_path / name, **environment))
        return started[-1].start()

    yield start
    for server in started:
        server.end()


@pytest.fixture
async def held(acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    customer = await Customer.objects.aget(pk=held.chat.customer_id)
    held.token = await sync_to_async(session_token)(acme.channel, customer)
    return held


@contextlib.asynccontextmanager
async def agent_socket(server: Server, agent: Any):
    ticket = await sync_to_async(presence.issue_ticket)(agent, "", timezone.now())
    async with connect(f"{server.socket_url}/ws/v1/agent", compression=None) as wire:
        await wire.send(json.dumps({"type": "hello", "ref": "h", "ticket": ticket}))
        yield wire


class Screen:
    """A customer's client that comes back: what it shows must be the log, each event once."""

    def __init__(self, server: Server, token: str, chat: str) -> None:
        self.server, self.token, self.chat = server, token, chat
        self.indexes: list[int] = []
        self.times: dict[str, float] = {}
        self.task = asyncio.ensure_future(self._stay())

    async def _stay(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with connect(f"{self.server.socket_url}/ws/v1/customer", compression=None) as wire:
                    last = self.indexes[-1] if self.indexes else 0
                    hello = {"type": "hello", "token": self.token, "chat": self.chat, "after": last}
                    await wire.send(json.dumps(hello))
                    async for raw in wire:
                        frame = json.loads(raw)
                        for event in frame["events"] if frame["type"] == "events" else ():
                            self.indexes.append(event["index"])
                            self.times[event.get("client_id", "")] = time.monotonic()
            await asyncio.sleep(0.1)

    async def until(self, index: int, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not self.indexes or self.indexes[-1] < index:
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def post_until_cut(wire: Any, chat: str, acknowledged: dict[str, int], texts: list[str]) -> None:
    """Post with some in flight until the connection breaks."""

    async def hear() -> None:
        async for raw in wire:
            frame = json.loads(raw)
            if frame["type"] == "ack" and frame.get("ref", "").startswith("m"):
                acknowledged[frame["ref"]] = frame["index"]

    hearing = asyncio.ensure_future(hear())
    with contextlib.suppress(ConnectionClosed):
        for name in texts:
            await wire.send(
                json.dumps({"type": "post", "ref": name, "chat": chat, "client_id": name, "text": f"Text {name}"})
            )
            await asyncio.sleep(0.002)
        while len(acknowledged) < len(texts):
            await asyncio.sleep(0.02)
            if hearing.done():
                break
    await asyncio.gather(hearing, return_exceptions=True) if hearing.done() else hearing.cancel()


@pytest.mark.both
@pytest.mark.slow
async def test_killed_while_posting_loses_nothing_acknowledged(serve, held, ann):
    server = await sync_to_async(serve)()
    chat, names = str(held.chat.pk), [f"m{number}" for number in range(2000)]
    screen = Screen(server, held.token, chat)
    first: dict[str, int] = {}
    async with agent_socket(server, ann) as wire:
        posting = asyncio.ensure_future(post_until_cut(wire, chat, first, names))
        while len(first) < 50:
            await asyncio.sleep(0.01)
        server.process.kill()
        await asyncio.wait_for(posting, 20)
    assert 50 <= len(first) < len(names)
    await sync_to_async(server.start)()
    rest = [name for name in names[: len(first) + 100] if name not in first]
    again: dict[str, int] = {}
    async with agent_socket(server, ann) as wire:
        await asyncio.wait_for(post_all(wire, chat, again, rest), 30)
    stored = {
        name: index
        async for name, index in Event.objects.filter(chat=held.chat, type="message.posted").values_list(
            "client_id", "index"
        )
    }
    assert {name: stored.get(name) for name in first} == first
    assert {name: stored.get(name) for name in again} == again
    head = max(stored.values())
    await screen.until(head)
    await screen.stop()
    assert screen.indexes == list(range(1, head + 1))


async def post_all(wire: Any, chat: str, acknowledged: dict[str, int], names: list[str]) -> None:
    """Post all, each once, and wait for every acknowledgement."""
    for name in names:
        await wire.send(
            json.dumps({"type": "post", "ref": name, "chat": chat, "client_id": name, "text": f"Text {name}"})
        )
    while not acknowledged.keys() >= set(names):
        frame = json.loads(await wire.recv())
        if frame.get("ref") in names:
            assert frame["type"] == "ack", frame
            acknowledged[frame["ref"]] = frame["index"]


@pytest.mark.slow
async def test_a_large_frame_is_closed_and_a_client_that_does_not_read_is_dropped(serve, held, ann, figures):
    server = await sync_to_async(serve)()
    async with agent_socket(server, ann) as wire:
        with pytest.raises(ConnectionClosed):
            await wire.send(json.dumps({"type": "pong", "x": "a" * 70_000}))
            while True:
                await wire.recv()
        assert wire.close_code == 1009
        assert wire.close_reason
    # A client with a small window that says hello and never reads again.
    stalled = socket.create_connection(("127.0.0.1", server.port))
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.sendall(
        b"GET /ws/v1/customer HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    hello = json.dumps({"type": "hello", "token": held.token}).encode()
    stalled.sendall(bytes([0x81, 0x80 | 126, *len(hello).to_bytes(2, "big"), 0, 0, 0, 0]) + hello)
    screen = Screen(server, held.token, str(held.chat.pk))
    await screen.until(held.chat.index)
    assert await asyncio.to_thread(server.sockets, "customer") == 2
    memory, most = memory_of(server.process.pid), 0.0
    async with agent_socket(server, ann) as wire:
        for number in range(600):
            text = {"chat": str(held.chat.pk), "client_id": f"l{number}", "text": "é" * 10_000}
            await wire.send(json.dumps({"type": "post", "ref": f"l{number}", **text}, ensure_ascii=False))
        begun = time.monotonic()
        while await asyncio.to_thread(server.sockets, "customer") == 2:
            assert time.monotonic() - begun < 28
            most = max(most, memory_of(server.process.pid) - memory)
            await asyncio.sleep(0.5)
    figures.worst("a client that does not read is cut", time.monotonic() - begun, "s")
    figures.worst("memory for it, for the one that reads and for the sender", most / 1024, "MB")
    # The one that reads has everything.
    await screen.until(held.chat.index + 600, 30)
    await screen.stop()
    assert screen.indexes == list(range(1, held.chat.index + 601))
    stalled.close()


@contextlib.contextmanager
def own_redis(data: Path):
    """A Redis that a test may kill."""
    port = free_port()
    command = [shutil.which("redis-server") or "redis-server", "--port", str(port), "--save", "", "--dir", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait()


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.slow
async def test_two_processes_are_one_with_redis_and_without(serve, held, ann, tmp_path):
    def both(url: str) -> tuple[Server, Server]:
        return serve("one", REDIS_URL=url), serve("two", REDIS_URL=url)

    chat = str(held.chat.pk)
    with own_redis(tmp_path) as (url, redis):
        one, two = await sync_to_async(both)(url)
        screen = Screen(one, held.token, chat)
        await screen.until(held.chat.index)
        async with agent_socket(two, ann) as wire:
            sent: dict[str, float] = {}
            acknowledged: dict[str, int] = {}
            for number in range(20):
                sent[f"m{number}"] = time.monotonic()
                await post_all(wire, chat, acknowledged, [f"m{number}"])
            await screen.until(acknowledged["m19"])
            waits = sorted(screen.times[name] - at for name, at in sent.items())
            # Sooner than the look at all heads, which comes every second and a half.
            assert waits[10] < 0.5, waits
            redis.kill()
            for number in range(20, 40):
                await asyncio.wait_for(post_all(wire, chat, acknowledged, [f"m{number}"]), 5)
            await screen.until(acknowledged["m39"], 6)
        await screen.stop()
    assert screen.indexes == list(range(1, acknowledged["m39"] + 1))
