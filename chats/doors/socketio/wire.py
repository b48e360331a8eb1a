"""One websocket as the engine has it: only packets come through, at a bearable pace; who is silent or does not read is let go."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from chats.live import hub
from chats.sockets.base import ABORT

from .frames import is_packet
from .pace import Pace
from .receipts import Question, Receipt

Message = MutableMapping[str, Any]

# A client is gone after their sum: little more than an agent's lease waits for a sign of life.
PING_SECONDS = 15
PING_TIMEOUT_SECONDS = 20
STALLED_SECONDS = 20.0  # a client that takes nothing for so long is let go
SILENT_SECONDS = PING_SECONDS + PING_TIMEOUT_SECONDS + 5.0
OPEN = "0{"  # how the engine's first packet begins; it names the session
PING, PONG, UPGRADE = "2", "3", "5"
GONE: Message = {"type": "websocket.disconnect", "code": 1008}


class Keeper(Protocol):
    """What a wire knows of the engine. `largest`: characters of one packet."""

    largest: int
    wires: "dict[str, Wire]"

    def polled(self, session_id: str) -> None: ...
    def pace_of(self, session_id: str) -> Pace: ...


class Wire:
    """Stands between server and engine; both sides keep ASGI's words. Known in the engine's `wires` by its session's id."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        engine: Keeper,
        session: str = "",
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._engine = engine
        self._session = ""
        self._pace = Pace()
        self._asked: deque[Receipt | None] = (
            deque()
        )  # pings that the client has not answered yet; None: the engine's own
        self._patience: asyncio.Timeout | None = None
        self._is_over = False
        if session:
            self._know(session)

    async def receive(self) -> Message:
        """The next packet; the disconnect when there is none, or none that we take."""
        message = await self._next()
        while message.get("text") == PONG and self._is_ours():
            message = await self._next()
        if message.get("text") == UPGRADE:
            # The client has ended its last poll before it says so: it has what that one carried.
            self._engine.polled(self._session)
        return message

    async def _next(self) -> Message:
        if self._is_over:
            return GONE
        try:
            async with asyncio.timeout(SILENT_SECONDS) as self._patience:
                message = await self._receive()
        except TimeoutError:
            return GONE
        finally:
            self._patience = None
        if message["type"] == "websocket.receive":
            text = message.get("text")
            if text is None or len(text) > self._engine.largest or not is_packet(text):
                return GONE
            hub.counters["frames_in"] += 1
            await self._pace.take()
        return message

    def _is_ours(self) -> bool:
        """Whether a pong answers a ping of ours: the engine did not ask, and must not hear it."""
        receipt = self._asked.popleft() if self._asked else None
        if receipt is None:
            return False
        receipt.prove()
        return True

    async def send(self, message: Message) -> None:
        """Raises OSError when the client does not read."""
        text = message.get("text") or ""
        if not self._session and text.startswith(OPEN):
            self._know(json.loads(text[1:])["sid"])
        if text == PING:
            self._asked.append(text.receipt if isinstance(text, Question) else None)
        try:
            async with asyncio.timeout(STALLED_SECONDS):
                await self._send(message)
        except TimeoutError:
            self._is_over = True
            hub.counters["cut"] += 1
            if abort := self._scope.get("extensions", {}).get(ABORT):
                abort()
            raise OSError("not reading") from None

    def end(self) -> None:
        """The engine hears that the client has gone."""
        self._is_over = True
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    def forget(self) -> None:
        if self._engine.wires.get(self._session) is self:
            del self._engine.wires[self._session]

    def _know(self, session: str) -> None:
        self._session = session
        self._engine.wires[session] = self
        self._pace = self._engine.pace_of(session)  # the same over both transports
