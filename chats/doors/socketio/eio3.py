"""Engine.IO protocol 3, which clients of Socket.IO 2 speak, put into the engine's protocol 4 and back.

https://github.com/socketio/engine.io-protocol tells both, and what changed between them. In protocol 3

- a body of a poll has each packet's length before it, counted as JavaScript counts: `2:2x`; base64 begins with a b, and is refused like all that is binary
- the client pings and the server answers. Its ping is for the engine the pong to the engine's own ping, which the client never hears of
- Socket.IO 2 connects whoever has come, without being asked; what it says of it are no objects: `40`, `44"why not"`
- who closes a websocket just does so
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from .engine import Engine
from .frames import SEPARATOR, are_packets
from .receipts import Question
from .wire import OPEN, PING, PONG, Message, Wire

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Told to clients. Two of their pings fit into the time that the engine waits for its pong.
PING_MILLISECONDS = 8_000
PING_TIMEOUT_MILLISECONDS = 20_000
WIRE_PING = "contactcenter.ping"  # the server's extension that asks whether a client has taken what was sent

CLOSE, NOOP, CONNECT = "1", "6", "40"
# To the namespace that it is in already; one with a name of its own goes on to the engine, which refuses it.
CONNECTS_AGAIN = re.compile(r"40(/([?,].*)?)?", re.DOTALL)
VERDICT = re.compile(r"(4[04])(/[^,]*,)?(.*)", re.DOTALL)
LENGTH = re.compile(r"([0-9]{1,8}):")
VERSION = re.compile(rb"(?<![^&])EIO=3(?![^&])")


def is_spoken(query: dict[str, str]) -> bool:
    return query.get("EIO") == "3"


def as_new(scope: Scope) -> Scope:
    """The request as a client of protocol 4 would make it."""
    return {**scope, "query_string": VERSION.sub(b"EIO=4", scope.get("query_string", b""))}


# The bodies of polls ------------------------------------------------------------------------------------------------------


def packets_of(body: bytes) -> list[str]:
    """What a poll's body brings; nothing when it is none that we take."""
    try:
        packets = list(_split(body.decode()))
    except ValueError:
        return []
    return packets if are_packets(packets) else []


def body_of(packets: Iterable[str]) -> bytes:
    return "".join(f"{_units(packet)}:{packet}" for packet in packets).encode()


def _split(text: str) -> Iterable[str]:
    """Raises ValueError."""
    units = text.encode("utf-16-le")  # two bytes for each unit that JavaScript counts
    place = 0
    while place < len(units):
        length = LENGTH.match(units[place : place + 20].decode("utf-16-le", "replace"))
        if length is None:
            raise ValueError("no length")
        start = place + 2 * length.end()
        place = start + 2 * int(length[1])
        if place > len(units):
            raise ValueError("cut off")
        yield units[start:place].decode("utf-16-le")


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


# Packets ------------------------------------------------------------------------------------------------------------------


def heard(packet: str) -> str:
    """What the client says, as the engine understands it."""
    return PONG if packet[0] == PING or CONNECTS_AGAIN.fullmatch(packet) else packet


def told(packet: str) -> str:
    """What the engine says, as the client understands it; empty when it must not hear it."""
    if packet.startswith(OPEN):
        periods = {"pingInterval": PING_MILLISECONDS, "pingTimeout": PING_TIMEOUT_MILLISECONDS}
        return "0" + json.dumps(json.loads(packet[1:]) | periods)
    if verdict := VERDICT.fullmatch(packet):
        return f"{verdict[1]}{verdict[2] or ''}{_sentence(verdict[3])}"
    return "" if packet == PING else packet


def _sentence(said: str) -> str:
    """Of a CONNECT nothing is left, of its refusal the message."""
    data = json.loads(said) if said else {}
    message = data.get("message", "") if isinstance(data, dict) else data
    return json.dumps(message, ensure_ascii=False) if message else ""


# Polls --------------------------------------------------------------------------------------------------------------------


def hear(engine: Engine, session_id: str, packets: list[str]) -> list[str]:
    """What a poll's body brought, as the engine understands it. Pings are answered."""
    for packet in packets:
        if packet[0] == PING:
            engine.pong(session_id, packet[1:])
    return list(map(heard, packets))


async def poll(engine: Engine, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a poll; one that begins a session connects its client, too."""
    answer = Answer(send)
    await engine.handle_request(as_new(scope), receive, answer.send)
    if answer.session:
        engine.note_old(answer.session)
        await engine.hear(answer.session, CONNECT[1:])


class Answer:
    """The engine's answer to a poll on its way to the client. `session`: which one it opened."""

    def __init__(self, send: Send) -> None:
        self.session = ""
        self._send = send
        self._is_good = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_good = message["status"] == 200
        elif self._is_good:
            message = {**message, "body": self._translated(message["body"].decode())}
        await self._send(message)

    def _translated(self, body: str) -> bytes:
        packets = body.split(SEPARATOR)
        if packets[0].startswith(OPEN):
            self.session = json.loads(packets[0][1:])["sid"]
        return body_of(list(filter(None, map(told, packets))) or [NOOP])


# Websockets ---------------------------------------------------------------------------------------------------------------


class OldWire(Wire):
    """One websocket of such a client: the first of its session, or the one with which it goes on after polls."""

    engine: Engine

    def __init__(self, scope: Scope, receive: Receive, send: Send, engine: Engine, session: str = "") -> None:
        super().__init__(scope, receive, send, engine, session)
        self._first = ["", "" if session else CONNECT]  # what is said for the client, after which of its messages
        self._is_probing = bool(session)

    async def receive(self) -> Message:
        if self._first and (said := self._first.pop(0)):
            return {"type": "websocket.receive", "text": said}
        message = await super().receive()
        text = message.get("text") or ""
        if not text or self._is_probing:
            self._is_probing = self._is_probing and not text
            return message
        if text[0] == PING:
            await super().send({"type": "websocket.send", "text": PONG + text[1:]})
        return {**message, "text": heard(text)}

    async def send(self, message: Message) -> None:
        text = message.get("text") or ""
        if isinstance(text, Question):
            self._scope["extensions"][WIRE_PING](text.receipt.prove)
        elif text == CLOSE:
            self.end()
        elif not text:
            await super().send(message)
        elif said := told(text):
            await super().send({**message, "text": said})
