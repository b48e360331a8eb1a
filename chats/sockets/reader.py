"""A socket's place in one chat's log: what was announced in order is passed on at once, everything else is read from the log."""

import asyncio
from typing import Any, Protocol
from uuid import UUID

import structlog

from chats.live import Payload, hub
from chats.live.listen import to_json

from .gather import Side, pages

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """What a reader needs of its socket."""

    def push(self, frame: str) -> None: ...
    def whisper(self, frame: str) -> bool: ...
    async def drained(self) -> None: ...
    def passed(self, reader: "Reader", types: frozenset[str]) -> None: ...


class Reader:
    """Events reach the socket in order, each once, whatever is lost, doubled or reordered on the way."""

    def __init__(self, socket: Listener, side: Side, chat_id: UUID, cursor: int) -> None:
        self.socket, self.side, self.chat_id, self.cursor = socket, side, chat_id, cursor
        self.head = cursor  # the highest number that we know of
        self.is_caught_up = False
        self.cursors: dict[tuple[str, str], int] = {}  # (read|delivered, agent|customer) → index, as the socket knows
        self.is_online: bool | None = None
        self.delivery: dict[str, Any] | None = None  # of delivery_shapes, as the socket was told
        self.told = 0  # the position that the chat had when the socket was told of it
        self._task: asyncio.Task[None] | None = None
        self._topic = f"{side.topic}:{chat_id}"

    def start(self) -> None:
        """Listen first, then read: nothing falls between."""
        hub.subscribe(self._topic, self.hear)
        self._catch_up()

    def stop(self) -> None:
        hub.unsubscribe(self._topic, self.hear)
        if self._task:
            self._task.cancel()

    def hear(self, _topic: str, payload: Payload) -> None:
        """An announcement."""
        if payload["kind"] == "whisper":
            self._hear_whisper(payload)
            return
        if payload["kind"] != "event":
            return
        number: int = payload["number"]
        if number <= self.cursor:
            return
        self.head = max(self.head, number)
        if number == self.cursor + 1 and self._task is None:
            self.cursor = number
            self.socket.push(payload["frame"])
            self.socket.passed(self, frozenset([payload["what"]]))
        else:
            # A hole, or events before it are just being read: then it is read behind them.
            self._catch_up()

    def check_head(self, head: int) -> None:
        """What the log's head was at some moment; later ones may have been heard since."""
        if head > self.cursor and self._task is None:
            hub.counters["healed"] += 1
        self.head = max(self.head, head)
        if head > self.cursor or not self.is_caught_up:
            self._catch_up()

    def tell_cursors(self, kind: str, side: str, index: int) -> None:
        """Read or delivered up to here, as the pulse found it: told where a whisper was lost."""
        if index > self.cursors.get((kind, side), 0):
            self.cursors[kind, side] = index
            said = {"type": kind, "chat": str(self.chat_id), "kind": side, "index": index}
            self.socket.push(to_json(said))

    def _hear_whisper(self, payload: dict[str, Any]) -> None:
        data = payload["data"]
        if payload["what"] in ("read", "delivered"):
            key = (payload["what"], data["kind"])
            if data["index"] <= self.cursors.get(key, 0):
                return
            # What the client was not told, the pulse tells later.
            if self.socket.whisper(payload["frame"]):
                self.cursors[key] = data["index"]
            return
        self.socket.whisper(payload["frame"])

    def _catch_up(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                page = await pages.get((self.side, self.chat_id, self.cursor))
                if page is not None:
                    self.cursor = page.last
                    self.socket.push(page.frame)
                    self.socket.passed(self, page.types)
                    await self.socket.drained()
                if page is None or (not page.is_full and self.cursor >= self.head):
                    self.is_caught_up = True
                    return
        except Exception as error:  # noqa: BLE001 - the database is away, say: the pulse asks again
            log.warning("log not read", chat=str(self.chat_id), error=type(error).__name__)
        finally:
            self._task = None
