"""One websocket between a server and the engine, played by hand: silence, slowness, ends."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chats.protocols.hyperchat.live import wire as module
from chats.protocols.hyperchat.live.wire import GONE, Wire
from chats.sockets.base import ABORT

pytestmark = pytest.mark.both


class Server:
    """The outer side."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[Any] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.aborts = 0

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.append(message)

    def abort(self) -> None:
        self.aborts += 1

    def text(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def make(server: Server) -> Callable[..., Wire]:
    wires: dict[str, Wire] = {}

    def make(session: str = "") -> Wire:
        wire = Wire({"extensions": {ABORT: server.abort}}, server.incoming.get, server.send, wires, session)
        wire.known = wires
        return wire

    return make


async def test_packets_pass_and_everything_else_is_the_end(server, make):
    wire = make()
    server.text("2probe")
    assert (await wire.receive())["text"] == "2probe"
    for odd in ({"text": "x"}, {"text": None, "bytes": b"4"}, {"bytes": b"x"}, {"text": "42" + "x" * 1_000_000}):
        server.incoming.put_nowait({"type": "websocket.receive", **odd})
        assert await wire.receive() == GONE
    server.incoming.put_nowait({"type": "websocket.disconnect", "code": 1005})
    assert (await wire.receive())["code"] == 1005


async def test_it_is_known_by_its_session_until_it_is_forgotten(server, make):
    direct, upgraded = make(), make("second")
    await direct.send({"type": "websocket.accept"})
    await direct.send({"type": "websocket.send", "text": '0{"sid":"first"}'})
    assert direct.known == {"first": direct, "second": upgraded}
    newer = make("second")
    upgraded.forget()
    assert direct.known == {"first": direct, "second": newer}
    direct.forget()
    newer.forget()
    assert direct.known == {}


async def test_who_is_silent_for_too_long_is_gone(server, make, monkeypatch):
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.05)
    assert await make().receive() == GONE


async def test_whom_the_server_ends_is_gone_at_once_also_while_it_is_waited_for(server, make):
    wire = make()
    waiting = asyncio.ensure_future(wire.receive())
    await asyncio.sleep(0)
    wire.end()
    assert await waiting == GONE
    server.text("2")
    assert await wire.receive() == GONE
    wire.end()


async def test_who_does_not_read_is_dropped(server, make, monkeypatch):
    monkeypatch.setattr(module, "STALLED_SECONDS", 0.05)
    wire = make()
    server.reads.clear()
    with pytest.raises(OSError, match="not reading"):
        await wire.send({"type": "websocket.send", "text": "42"})
    assert server.aborts == 1
    assert await wire.receive() == GONE
