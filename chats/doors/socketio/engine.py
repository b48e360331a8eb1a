"""python-socketio within the limits of this door: what is no packet ends its connection, and nothing that a client sends becomes a traceback."""

import asyncio
import logging
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

import engineio
import socketio
import structlog
from django.conf import settings
from engineio.async_socket import AsyncSocket
from engineio.packet import PONG
from engineio.packet import Packet as EnginePacket

from .frames import Packet
from .pace import Pace
from .receipts import Receipt, settle
from .wire import PING_SECONDS, PING_TIMEOUT_SECONDS, STALLED_SECONDS, Wire

log = structlog.get_logger(__name__)

BYE_SECONDS = 2.0
MOST_UNREAD = 64  # packets that lie in the engine for one client; more wait with us
MOST_OWED = 500  # packets, answers among them, for a client that asks on and never polls

# The libraries log what strangers send wrong; what goes wrong here is logged where it happens.
quiet = logging.getLogger("chats.doors.socketio.quiet")
quiet.setLevel(logging.CRITICAL)


class Handlers(Protocol):
    """Who hears of connections and their events. Raises nothing but ConnectionRefusedError, on connect."""

    async def connected(self, sid: str, scope: Any, auth: Any) -> None: ...
    def opened(self, sid: str) -> None: ...
    async def happened(self, name: str, sid: str, *said: Any) -> dict[str, Any]: ...
    async def disconnected(self, sid: str) -> None: ...


class Sessions(engineio.AsyncServer):
    """Sessions that end when they are ended: the library waits until their clients have taken all, and some never ask again."""

    def generate_id(self) -> str:
        """Begins with the server's mark, so that what stands before several servers knows whose session it is."""
        return ".".join(filter(None, (settings.SERVER_MARK, super().generate_id())))

    async def disconnect(self, sid: str | None = None) -> None:
        if sid in self.sockets:
            await self.sockets[sid].close(wait=False)


class Engine(socketio.AsyncServer):
    """One a server process and door; made anew with each event loop. `largest`: bytes of one frame, or of one poll's body."""

    def __init__(self, handlers: Handlers, door: str, largest: int) -> None:
        super().__init__(
            async_mode="asgi",
            serializer=Packet,
            async_handlers=False,  # a client's events in the order in which it sent them
            cors_allowed_origins=[],  # the gate sees to origins
            http_compression=False,
            max_http_buffer_size=largest,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_TIMEOUT_SECONDS,
            logger=quiet,
            engineio_logger=quiet,
        )
        self.door, self.largest = door, largest
        self.wires: dict[str, Wire] = {}  # session → its websocket
        self._heard = handlers
        self._paces: WeakKeyDictionary[AsyncSocket, Pace] = WeakKeyDictionary()
        self._receipts: WeakKeyDictionary[AsyncSocket, list[Receipt]] = WeakKeyDictionary()
        self._old: WeakSet[AsyncSocket] = WeakSet()  # whose clients speak protocol 3
        self.on("connect", self._on_connect)
        self.on("disconnect", self._on_disconnect)
        self.on("*", handlers.happened)

    # Sessions of the engine: one for each client, whatever its transport -----------------------------------------------

    @property
    def sessions(self) -> dict[str, AsyncSocket]:
        found: dict[str, AsyncSocket] = self.eio.sockets
        return found

    def has(self, session_id: str) -> bool:
        """Whether the session goes on. The library keeps those that have ended for a while, and stumbles over them."""
        session = self.sessions.get(session_id)
        return session is not None and not session.closed

    def pace_of(self, session_id: str) -> Pace:
        """A session keeps its pace from one request to the next; a stranger has one for this request."""
        session = self.sessions.get(session_id)
        return Pace() if session is None else self._paces.setdefault(session, Pace())

    def is_owed_too_much(self, session_id: str) -> bool:
        """Whether the client asks without taking the answers. A websocket is cut for it in time; polls are the client's to begin."""
        session = self.sessions.get(session_id)
        return session is not None and session.queue.qsize() > MOST_OWED

    def trust(self, sid: str) -> None:
        """This connection's client may send faster from now on, over both transports."""
        self.pace_of(self.session_of(sid)).trust()

    def session_of(self, sid: str) -> str:
        """The engine's id of a Socket.IO connection's session; empty when it has ended."""
        return self.manager.eio_sid_from_sid(sid, "/") or ""

    async def say(self, sid: str, name: str, data: dict[str, Any]) -> None:
        """One event, when the client has taken enough of those before. Raises TimeoutError when it takes nothing."""
        await self.emit(name, data, to=sid)
        session = self.sessions.get(self.session_of(sid))
        if session is not None and session.queue.qsize() > MOST_UNREAD:
            async with asyncio.timeout(STALLED_SECONDS):
                await session.queue.join()

    def ask(self, sid: str, proven: "asyncio.Future[bool]") -> None:
        """Have it proven that the client has got what was said until now; at once refuted when its session has ended."""
        session = self.sessions.get(self.session_of(sid))
        if session is None or session.closed:
            settle(proven, False)
            return
        receipt = Receipt(proven)
        self._receipts[session] = [*self._unproven(session), receipt]
        session.queue.put_nowait(receipt)

    def polled(self, session_id: str) -> None:
        """The client polls anew, or goes on with a websocket: it has what its last poll carried."""
        if session := self.sessions.get(session_id):
            for receipt in self._unproven(session):
                if receipt.is_carried:
                    receipt.prove()

    def _unproven(self, session: AsyncSocket) -> list[Receipt]:
        return [receipt for receipt in self._receipts.get(session, ()) if not receipt.proven.done()]

    async def end(self, session_id: str) -> None:
        """Tell a client to go, and let its websocket go if it does not."""
        if session := self.sessions.get(session_id):
            await session.close(wait=False)
        if wire := self.wires.get(session_id):
            asyncio.get_running_loop().call_later(BYE_SECONDS, wire.end)

    async def let_go(self, sid: str) -> None:
        """End the connection's session."""
        session_id = self.session_of(sid)
        if session_id in self.sessions:
            await self.end(session_id)
        else:
            # The client went while it was let in, and nobody noticed.
            await self.disconnect(sid)

    def end_all(self) -> None:
        """All polls are answered now; their clients come again, to another server or to this one later."""
        for session_id in list(self.sessions):
            self.start_background_task(self.end, session_id)

    # Clients of Engine.IO 3 (eio3.py) ----------------------------------------------------------------------------------

    def is_old(self, session_id: str) -> bool:
        return self.sessions.get(session_id) in self._old

    def note_old(self, session_id: str) -> None:
        self._old.add(self.sessions[session_id])

    async def hear(self, session_id: str, message: str) -> None:
        """As if the client had sent this Socket.IO packet."""
        await self._handle_eio_message(session_id, message)

    def pong(self, session_id: str, data: str) -> None:
        """The answer to a ping in a poll's body; the next poll carries it."""
        if session := self.sessions.get(session_id):
            session.queue.put_nowait(EnginePacket(PONG, data))

    def _engineio_server_class(self) -> type[Sessions]:
        return Sessions

    # What the library calls ---------------------------------------------------------------------------------------------

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        await self._heard.connected(sid, environ["asgi.scope"], auth)

    async def _on_disconnect(self, sid: str, _reason: str) -> None:
        await self._heard.disconnected(sid)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        await super()._handle_connect(eio_sid, namespace, data)
        sid = self.manager.sid_from_eio_sid(eio_sid, "/")
        if sid and self.manager.is_connected(sid, "/"):
            # The client knows by now that it is connected; before, it would not hear what it is told.
            self._heard.opened(sid)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except Exception as error:  # noqa: BLE001 - the outermost door of what clients send
            log.info("no packet", door=self.door, error=type(error).__name__)
            await self.end(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        session = self.sessions.get(eio_sid)
        if session is not None and reason != self.reason.SERVER_DISCONNECT:
            # Nobody says goodbye then: what waits for packets, a poll say, must not wait on.
            session.queue.put_nowait(None)
