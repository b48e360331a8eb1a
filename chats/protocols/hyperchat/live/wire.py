"""One websocket as the engine has it: only packets come through, at a bearable pace; who is silent or does not read is let go."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from chats.live import hub
from chats.sockets.base import ABORT

from .frames import LARGEST, is_packet
from .pace import Pace

Message = MutableMapping[str, Any]

# A client is gone after their sum: little more than an agent's lease waits for a sign of life.
PING_SECONDS = 15
PING_TIMEOUT_SECONDS = 20
STALLED_SECONDS = 20.0  # a client that takes nothing for so long is let go
SILENT_SECONDS = PING_SECONDS + PING_TIMEOUT_SECONDS + 5.0
OPEN = "0{"  # how the engine's first packet begins; it names the session
GONE: Message = {"type": "websocket.disconnect", "code": 1008}


class Wire:
    """Stands between server and engine; both sides keep ASGI's words. Known in `wires` by its session's id."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        wires: "dict[str, Wire]",
        session: str,
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._wires = wires
        self._session = ""
        self._pace = Pace()
        self._patience: asyncio.Timeout | None = None
        self._is_over = False
        if session:
            self._know(session)

    async def receive(self) -> Message:
        """The next packet; the disconnect when there is none, or none that we take."""
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
            if text is None or len(text) > LARGEST or not is_packet(text):
                return GONE
            hub.counters["frames_in"] += 1
            await self._pace.take()
        return message

    async def send(self, message: Message) -> None:
        """Raises OSError when the client does not read."""
        text = message.get("text") or ""
        if not self._session and text.startswith(OPEN):
            self._know(json.loads(text[1:])["sid"])
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
        if self._wires.get(self._session) is self:
            del self._wires[self._session]

    def _know(self, session: str) -> None:
        self._session = session
        self._wires[session] = self
