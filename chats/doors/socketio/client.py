"""One client of a foreign door over Socket.IO: what waits to be said to it, and its end."""

import asyncio
from collections import deque
from typing import Any
from uuid import UUID

import structlog

from chats.live import hub
from chats.sockets.reader import Reader

from .engine import Engine
from .place import Place
from .receipts import settle

log = structlog.get_logger(__name__)

MOST_WAITING = 1_000  # events for a client that does not read
WHISPERS_UNTIL = 20
READ_AHEAD = 2


class Client:
    """A guest of the pulse. Everything runs in the event loop."""

    kind = ""  # the door's name, for the logs

    def __init__(self, engine: Engine, sid: str, place: Place) -> None:
        self.engine, self.sid, self.place = engine, sid, place
        self.loop = asyncio.get_running_loop()
        self.one_at_a_time = asyncio.Lock()  # polls may bring two events at once
        self.is_closed = False
        self._typed: tuple[str, float] = ("", 0.0)  # what was told last about typing, and when
        self._waiting: deque[tuple[str, dict[str, Any]] | asyncio.Future[bool]] = deque()
        self._unproven: set[asyncio.Future[bool]] = set()
        self._has_waiting = asyncio.Event()
        self._is_drained = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    # Its life -----------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """The client knows that it is connected: what waits may go out."""
        if self._writing is None:
            self._writing = self.loop.create_task(self._write())

    def close(self) -> None:
        """It is gone: give back what it held. What is just being done for it must not begin anything anew."""
        self.is_closed = True
        self.forget()
        if self._writing:
            self._writing.cancel()
        for proven in self._unproven:
            settle(proven, False)

    def forget(self) -> None:
        """Follow nothing any more."""

    def end(self, _close_code: int = 0, code: str = "", _message: Any = "") -> None:
        """Make the client go, soon; it may come again. The pulse calls it, too."""
        if self._ending is None:
            log.info("client ended", door=self.kind, reason=code)
            self._ending = self.loop.create_task(self.engine.let_go(self.sid))

    # Saying -------------------------------------------------------------------------------------------------------------

    def tell(self, name: str, data: dict[str, Any]) -> None:
        """Say it when its turn comes. Never waits; a client that lets too much pile up is ended."""
        self._waiting.append((name, data))
        self._has_waiting.set()
        if len(self._waiting) > MOST_WAITING:
            self.end(code="too_slow")

    async def received(self) -> bool:
        """Wait until the client has evidently received everything that it was told so far; False when the connection has ended before.

        The proof is what answers something that goes behind it: on a websocket of Engine.IO 4 the pong of the client's library,
        on one of Engine.IO 3, which does not know pings by the server, the pong of the websocket itself (RFC 6455, 5.5.3);
        with polls it is the next one that begins after the one that carried it, or the upgrade that takes its place.
        It ends with the connection at the latest, and a dead one is noticed by the limits of wire.py.
        """
        if self.is_closed:
            return False
        proven: asyncio.Future[bool] = self.loop.create_future()
        self._unproven.add(proven)
        self._waiting.append(proven)
        self._has_waiting.set()
        try:
            return await proven
        finally:
            self._unproven.discard(proven)

    def may_whisper(self) -> bool:
        """Nobody is ended because others type fast."""
        return len(self._waiting) < WHISPERS_UNTIL

    async def drained(self) -> None:
        while len(self._waiting) > READ_AHEAD:
            self._is_drained.clear()
            await self._is_drained.wait()

    def has_typed(self, word: str, seconds: float) -> bool:
        """Whether the same was told within so many seconds: holding a key down is one word."""
        known, at = self._typed
        return known == word and self.loop.time() - at < seconds

    def note_typed(self, word: str) -> None:
        self._typed = (word, self.loop.time())

    async def _write(self) -> None:
        try:
            while True:
                await self._has_waiting.wait()
                while self._waiting:
                    await self._say(self._waiting.popleft())
                self._has_waiting.clear()
                self._is_drained.set()
        except TimeoutError:
            self.end(code="too_slow")

    async def _say(self, next_one: tuple[str, dict[str, Any]] | asyncio.Future[bool]) -> None:
        if isinstance(next_one, asyncio.Future):
            self.engine.ask(self.sid, next_one)
        else:
            await self.engine.say(self.sid, *next_one)
            hub.counters["frames_out"] += 1

    # The pulse ----------------------------------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        return []

    def leased_agent(self) -> UUID | None:
        return None
