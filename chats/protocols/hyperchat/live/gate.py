"""The way in: an ASGI application in front of the engine. Hosts, origins, sizes, how many and how fast are seen to here.

Requests have been through contactcenter.edge, which checks the host and has read the body within limits and a deadline; websockets have not.
"""

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import structlog
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chats.doors import origins
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, address_of, count
from chats.errors import TooMany

from .engine import Engine
from .frames import count_packets
from .place import Place, has_header, place_of
from .threads import in_thread
from .wire import Wire

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_SESSIONS = 5_000  # in one process
KNOWN_SECONDS = 30.0  # an origin's verdict
MOST_KNOWN = 1_000
METHODS = frozenset({"GET", "POST", "OPTIONS"})
SENTENCES = {400: "Bad request", 403: "This origin is not allowed", 429: "Too many requests", 503: "The server is busy"}


class Gate:
    """ASGI for `/v1/socket.io/`, both transports."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._polls: set[str] = set()  # sessions that wait in one
        self._origins: dict[str, tuple[bool, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = place_of(scope)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        if scope["type"] == "websocket":
            await self._websocket(scope, place, query, receive, send)
        else:
            await self._http(scope, place, query, receive, send)

    async def _websocket(self, scope: Scope, place: Place, query: dict[str, str], receive: Receive, send: Send) -> None:
        if not _is_our_host(place.host) or not await self._may_come(scope, place) or await self._refusal(place, query):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        wire = Wire(scope, receive, send, self._engine.wires, query.get("sid", ""))
        try:
            await self._engine.handle_request(scope, wire.receive, wire.send)
        except Exception as error:  # the outermost door
            log.error("websocket failed", exc_info=error)
        finally:
            wire.forget()

    # Polling ------------------------------------------------------------------------------------------------------------

    async def _http(self, scope: Scope, place: Place, query: dict[str, str], receive: Receive, send: Send) -> None:
        may_come = await self._may_come(scope, place)
        is_preflight = scope["method"] == "OPTIONS"
        answer = _answering(send, place.origin if may_come else "", is_preflight=is_preflight)
        status = 0 if may_come else 403
        if "j" in query or scope["method"] not in METHODS:  # JSONP lets other sites read
            status = status or 400
        if not is_preflight:
            status = status or await self._refusal(place, query)
        if status:
            await _refuse(answer, status)
        elif scope["method"] == "POST":
            await self._take_body(scope, query, receive, answer)
        else:
            await self._poll(scope, query, receive, answer)

    async def _take_body(self, scope: Scope, query: dict[str, str], receive: Receive, send: Send) -> None:
        message = await receive()
        number = count_packets(message.get("body", b""))
        if not number:
            await _refuse(send, 400)
            return
        await self._engine.pace_of(query.get("sid", "")).take(number)
        await self._pass_on(scope, _once(message), send)

    async def _poll(self, scope: Scope, query: dict[str, str], receive: Receive, send: Send) -> None:
        session = query.get("sid", "")
        if session in self._polls:  # their protocol allows one at a time
            await _refuse(send, 400)
            return
        self._polls |= {session} - {""}
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self._polls.discard(session)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._engine.handle_request(scope, receive, send)
        except (OSError, RuntimeError):  # the client has left meanwhile
            return

    # Who may come -------------------------------------------------------------------------------------------------------

    async def _refusal(self, place: Place, query: dict[str, str]) -> int:
        """The status that says no, else 0: to who names a session that is none, or begins one too many."""
        if "sid" in query:
            return 0 if self._engine.has(query["sid"]) else 400
        if len(self._engine.sessions) >= MOST_SESSIONS:
            return 503
        try:
            await in_thread(count, ANONYMOUS_BY_ADDRESS, address_of(place.request()))
        except TooMany:
            return 429
        return 0

    async def _may_come(self, scope: Scope, place: Place) -> bool:
        """Whether any application allows the page; which one it may use is asked when it names one."""
        if not place.origin:
            return not has_header(scope, b"origin")
        if origins.is_own(place.request(), place.origin):
            return True
        known, until = self._origins.get(place.origin, (False, 0.0))
        if until < time.monotonic():
            known = await in_thread(origins.is_known, place.origin)
            if len(self._origins) >= MOST_KNOWN:
                self._origins.clear()
            self._origins[place.origin] = known, time.monotonic() + KNOWN_SECONDS
        return known

    # The server's life --------------------------------------------------------------------------------------------------

    @property
    def _engine(self) -> Engine:
        if self.engine is None:
            raise RuntimeError("not running")
        return self.engine

    def stop(self) -> None:
        """The server ends, and waits for no poll."""
        if self.engine is not None:
            self.engine.end_all()


def _is_our_host(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, ["*"] if settings.DEBUG else settings.ALLOWED_HOSTS)


def _once(message: MutableMapping[str, Any]) -> Receive:
    """What was received already, for who has not read it yet."""

    async def receive() -> MutableMapping[str, Any]:
        return message

    return receive


def _answering(send: Send, origin: str, *, is_preflight: bool) -> Send:
    """Adds what browsers want to know. No cookies are wanted: credentials are in what the client sends."""
    added = [(b"cache-control", b"no-store"), (b"vary", b"Origin")]
    if origin:
        added.append((b"access-control-allow-origin", origin.encode("latin1")))
        if is_preflight:
            added.append((b"access-control-allow-methods", b"GET, POST"))
            added.append((b"access-control-allow-headers", b"content-type"))

    async def answer(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return answer


async def _refuse(send: Send, status: int) -> None:
    body = json.dumps({"error": {"code": status, "message": SENTENCES[status]}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
