"""One websocket between a server and the engine, played by hand: silence, slowness, ends."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chats.doors.socketio import wire as module
from chats.doors.socketio.eio3 import PING_MILLISECONDS, WIRE_PING, OldWire
from chats.doors.socketio.pace import Pace
from chats.doors.socketio.receipts import Receipt
from chats.doors.socketio.wire import GONE, Wire
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
        self.pings: list[Callable[[], None]] = []

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
    engine = SimpleNamespace(
        wires=wires, largest=1_000_000, polled=lambda _session: None, pace_of=lambda _session: Pace()
    )

    def make(session: str = "", kind: type[Wire] = Wire) -> Wire:
        extensions = {ABORT: server.abort, WIRE_PING: server.pings.append}
        wire = kind({"extensions": extensions}, server.incoming.get, server.send, engine, session)
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


def sent(text: str) -> dict[str, str]:
    return {"type": "websocket.send", "text": text}


async def test_the_pongs_that_answer_our_questions_prove_receipt_and_the_engine_never_hears_of_them(server, make):
    wire = make()
    proven = [asyncio.get_running_loop().create_future() for _ in range(2)]
    for text in (Receipt(proven[0]).encode(), "2", Receipt(proven[1]).encode()):
        await wire.send(sent(text))
    assert [message["text"] for message in server.sent] == ["2", "2", "2"]
    for text in ("42[1]", "3", "3", "42[2]"):
        server.text(text)
    assert (await wire.receive())["text"] == "42[1]"
    assert not proven[0].done()
    assert (await wire.receive())["text"] == "3", "the engine's own"
    assert (await wire.receive())["text"] == "42[2]"
    assert [one.done() for one in proven] == [True, False]
    for text in ("3", "3"):
        server.text(text)
    assert (await wire.receive())["text"] == "3", "what nobody asked for is none of ours"
    assert [one.result() for one in proven] == [True, True]


async def test_a_client_of_protocol_3_is_connected_unasked_and_its_pings_are_the_engines_pongs(server, make):
    wire = make(kind=OldWire)
    server.incoming.put_nowait({"type": "websocket.connect"})
    assert (await wire.receive())["type"] == "websocket.connect"
    assert (await wire.receive())["text"] == "40"
    heard = {"2": "3", "2x": "3", "40": "3", "40/?token=a": "3", "40/x?a=1,": "40/x?a=1,", '42["a"]': '42["a"]'}
    for text, meant in heard.items():
        server.text(text)
        assert (await wire.receive())["text"] == meant
    assert server.sent == [sent("3"), sent("3x")]
    server.sent.clear()
    told = ['0{"sid":"a","pingInterval":1}', "2", '40{"sid":"b"}', '44{"message":"No","data":1}', '44/x,"No"', "3probe"]
    for text in told:
        await wire.send(sent(text))
    opened, *others = [message["text"] for message in server.sent]
    assert f'"pingInterval": {PING_MILLISECONDS}' in opened
    assert others == ["40", '44"No"', '44/x,"No"', "3probe"]
    assert wire.known == {"a": wire}
    await wire.send(sent("1"))
    assert await wire.receive() == GONE, "it would not understand to be sent away"


async def test_a_client_of_protocol_3_is_asked_by_the_websocket_itself(server, make):
    wire = make("one", kind=OldWire)
    server.text("2probe")
    assert (await wire.receive())["text"] == "2probe", "the upgrade is the engine's"
    proven = asyncio.get_running_loop().create_future()
    await wire.send(sent(Receipt(proven).encode()))
    assert server.sent == []
    server.pings.pop()()
    assert proven.result() is True
