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

from . import eio3, frames
from .engine import Engine
from .place import Place, has_header, place_of
from .threads import Crew
from .wire import Wire

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handle = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_SESSIONS = 5_000  # in one process
KNOWN_SECONDS = 30.0  # an origin's verdict
MOST_KNOWN = 1_000
METHODS = frozenset({"GET", "POST", "OPTIONS"})
SENTENCES = {400: "Bad request", 403: "This origin is not allowed", 429: "Too many requests", 503: "The server is busy"}


class Gate:
    """ASGI for one address of a door, both transports. `voice`: (status, sentence) → the body of a refusal."""

    def __init__(self, crew: Crew, voice: Callable[[int, str], dict[str, Any]], largest: int) -> None:
        self.crew, self.voice, self.largest = crew, voice, largest
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
        kind = eio3.OldWire if self._is_old(query) else Wire
        wire = kind(scope, receive, send, self._engine, query.get("sid", ""))
        try:
            await self._engine.handle_request(eio3.as_new(scope), wire.receive, wire.send)
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
            await self._refuse(answer, status)
        elif scope["method"] == "POST":
            await self._take_body(scope, query, receive, answer)
        else:
            await self._poll(scope, query, receive, answer)

    async def _take_body(self, scope: Scope, query: dict[str, str], receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        session = query.get("sid", "")
        is_old = self._engine.is_old(session)
        packets = (eio3 if is_old else frames).packets_of(body)
        if self._engine.is_owed_too_much(session):
            await self._engine.end(session)
            packets = []
        if not packets:
            await self._refuse(send, 400)
            return
        await self._engine.pace_of(session).take(len(packets))
        if is_old:
            packets = eio3.hear(self._engine, session, packets)
        await self._pass_on(self._engine.handle_request, *_with_body(scope, frames.body_of(packets)), send)

    async def _poll(self, scope: Scope, query: dict[str, str], receive: Receive, send: Send) -> None:
        session = query.get("sid", "")
        if session in self._polls:  # their protocol allows one at a time
            await self._refuse(send, 400)
            return
        self._polls |= {session} - {""}
        self._engine.polled(session)
        is_old = self._is_old(query) and scope["method"] == "GET"
        try:
            await self._pass_on(self._poll_of_old if is_old else self._engine.handle_request, scope, receive, send)
        finally:
            self._polls.discard(session)

    async def _poll_of_old(self, scope: Scope, receive: Receive, send: Send) -> None:
        await eio3.poll(self._engine, scope, receive, send)

    async def _pass_on(self, handle: Handle, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await handle(scope, receive, send)
        except (OSError, RuntimeError):  # the client has left meanwhile
            return

    def _is_old(self, query: dict[str, str]) -> bool:
        """Whether the client speaks protocol 3: said when it comes, and known of its session afterwards."""
        return self._engine.is_old(query["sid"]) if "sid" in query else eio3.is_spoken(query)

    # Who may come -------------------------------------------------------------------------------------------------------

    async def _refusal(self, place: Place, query: dict[str, str]) -> int:
        """The status that says no, else 0: to who names a session that is none, or begins one too many."""
        if "sid" in query:
            return 0 if self._engine.has(query["sid"]) else 400
        if len(self._engine.sessions) >= MOST_SESSIONS:
            return 503
        try:
            await self.crew.do(count, ANONYMOUS_BY_ADDRESS, address_of(place.request()))
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
            known = await self.crew.do(origins.is_known, place.origin)
            if len(self._origins) >= MOST_KNOWN:
                self._origins.clear()
            self._origins[place.origin] = known, time.monotonic() + KNOWN_SECONDS
        return known

    async def _refuse(self, send: Send, status: int) -> None:
        body = json.dumps(self.voice(status, SENTENCES[status])).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

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


def _with_body(scope: Scope, body: bytes) -> tuple[Scope, Receive]:
    """A request with this body, for who has not read it yet."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}, receive


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
