"""HTTP's way in: from the event loop to Django's synchronous stack on a fixed number of threads.

A thread is the scarce thing, so it is taken only while Django computes. The body has been read before, within a limit
and a deadline; the answer is collected and sent afterwards; a long poll waits in the event loop. Ten clients that
stall, upload slowly or do not read therefore hold ten sockets and no thread.
"""

import asyncio
import contextlib
import json
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, Protocol

import structlog
from django.http.request import split_domain_port, validate_host

from contactcenter import longpoll
from contactcenter.bridge import MEGABYTE, Answer, Bridge, Brief, Message, Refused, Scope, Send
from contactcenter.outage import is_outage

log = structlog.get_logger(__name__)

Receive = Callable[[], Awaitable[Message]]
# Waits until one of the topics is announced or the seconds have passed. Subscribes before it first suspends.
Wait = Callable[[list[str], float], Awaitable[Any]]
# The plainest calls, answered in the event loop; None for whatever Django has to answer. Raises Refused.
FastPath = Callable[[Scope, IO[bytes]], Awaitable[Brief | None]]
# How an API says a refusal: its status, our code and sentence → what its clients read as JSON.
Voice = Callable[[int, str, str], Any]

MAIL = re.compile(
    r"/carriers/mail/[^/]+/inbound(/mime)?"
)  # with its attachments, in whatever form; read once its sender is known
CONTENT = re.compile(r"/(apispaces/[^/]+|cpaas)/content/?")  # files of apps
MOST_HOSTS = 1000  # remembered
LONG_POLL = longpoll.HEADER.lower().encode()
LONG_POLL_ROUND = longpoll.ROUND_HEADER.lower().encode()
CHARSET = re.compile(rb";\s*charset\*?\d*\*?\s*=[^;]*", re.IGNORECASE)
SENTENCES = {
    400: ("invalid", "The request could not be understood."),
    408: ("timeout", "The request's body did not arrive in time. Send it again."),
    413: ("too_large", "The request's body is too large."),
    500: ("failed", "Something went wrong here. Nothing is lost; try again."),
    503: ("unavailable", "The server is busy. Try again in a moment."),
}


class Gone(Exception):
    """The client has left; nobody waits for an answer."""


@dataclass(frozen=True)
class Limits:
    """How much of everything at once. Sizes in bytes, times in seconds."""

    threads: int = 8
    body: int = MEGABYTE
    upload: int = 21 * MEGABYTE
    # HyperChat's PHP library repeats an upload's body on every later request of the same object.
    upload_prefixes: tuple[str, ...] = ("/api/v1/attachments", "/v1/")
    body_seconds: float = 20
    bodies: int = 200
    requests: int = 500
    # A lost announcement heals at the latest after this time.
    recheck_seconds: float = 5

    def body_limit(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> int:
        """The largest body that this path takes. Only files may be large: JSON of that size becomes hundreds of megabytes when it is read."""
        takes_files = path.startswith(self.upload_prefixes) or CONTENT.fullmatch(path)
        has_files = takes_files and _is_form_of_files(headers)
        return self.upload if has_files or MAIL.fullmatch(path) else self.body


class Aside(Protocol):
    """An ASGI application with polls of its own, which answers in the event loop. `largest`: bytes of a body, where that is more than the limit of all."""

    largest: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    def stop(self) -> None:
        """End all polls now."""


class Edge:
    """An ASGI application for HTTP around a WSGI application.

    `asides`: by the path at which, and below which, they answer instead; they get the body in one piece.
    `voices`: by the beginning of the path, of those APIs that say a refusal in other words than ours.
    """

    def __init__(
        self,
        wsgi: Any,
        *,
        wait: Wait,
        hosts: Iterable[str],
        limits: Limits,
        fast_path: FastPath | None = None,
        asides: Mapping[str, Aside] | None = None,
        voices: Mapping[str, Voice] | None = None,
    ) -> None:
        self.asides = asides or {}
        self.voices = voices or {}
        self.bridge = Bridge(wsgi, limits.threads)
        self.fast_path = fast_path
        self.wait = wait
        self.hosts = list(hosts)
        self._is_ours = lru_cache(maxsize=MOST_HOSTS)(self._is_host_ours)
        self.limits = limits
        self.bodies = 0
        self.running = 0
        self.polls: set[asyncio.Task[Any]] = set()
        self.is_stopping = False

    def stop(self) -> None:
        """End all long polls now: their clients get the empty answer and ask another server, or this one later."""
        self.is_stopping = True
        for poll in list(self.polls):
            poll.cancel()
        for aside in self.asides.values():
            aside.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        try:
            with tempfile.SpooledTemporaryFile(max_size=MEGABYTE) as body:
                self._clean(scope)
                size = await self._read_body(scope, receive, body)
                scope["headers"] = _with_length(scope["headers"], size)
                if aside := self._aside(scope["path"]):
                    await aside(scope, _repeating(body), send)
                    return
                answer = await self._answer(scope, receive, body)
            with contextlib.closing(answer):
                await answer.send(send)
        except Gone:
            return
        except Refused as refusal:
            status = refusal.status
        except Exception as error:  # the outermost door
            if is_outage(error):  # no room for a large body, say
                log.warning("disk full", path=scope["path"], error=type(error).__name__)
                status = 503
            else:
                log.exception("request failed", path=scope["path"], method=scope["method"])
                status = 500
        if status:
            # Sending may fail halfway above; a second start is refused by the server, and the connection is lost anyway.
            with contextlib.suppress(RuntimeError):
                await _refuse(send, status, self._voice(scope["path"]))

    def _voice(self, path: str) -> Voice:
        return next((voice for start, voice in self.voices.items() if path.startswith(start)), _say)

    def _aside(self, path: str) -> Aside | None:
        return next((aside for base, aside in self.asides.items() if f"{path}/".startswith(f"{base}/")), None)

    def _clean(self, scope: Scope) -> None:
        # X_Forwarded_For and X-Forwarded-For are one variable in WSGI: only hyphens may pass.
        scope["headers"] = [
            # Django would decode the query with any codec that is named as a charset, also with base64, which decodes none.
            (name, CHARSET.sub(b"", value) if name == b"content-type" else value)
            for name, value in scope["headers"]
            if b"_" not in name and not name.startswith(LONG_POLL)
        ]
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            raise Refused(400)
        if not scope["query_string"].isascii():
            raise Refused(400)

    def _is_host_ours(self, host: bytes) -> bool:
        domain, _port = split_domain_port(host.decode("latin1"))
        return bool(domain) and validate_host(domain, self.hosts)

    async def _read_body(self, scope: Scope, receive: Receive, body: IO[bytes]) -> int:
        limit = self.limits.body
        if aside := self._aside(scope["path"]):
            limit = max(limit, aside.largest)
        else:
            limit = self.limits.body_limit(scope["path"], scope["headers"])
        if _declared_length(scope["headers"]) > limit:
            raise Refused(413)
        # Who sends no body waits for none: people who send slowly keep away only each other.
        place = int(_announces_body(scope["headers"]))
        if not place and scope["method"] in ("GET", "HEAD"):
            return 0
        # Checked before counting, so that a refused request never holds a place.
        if place and self.bodies >= self.limits.bodies:
            raise Refused(503)
        self.bodies += place
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                return await _read(receive, body, limit)
        except TimeoutError as error:
            raise Refused(408) from error
        finally:
            self.bodies -= place

    async def _answer(self, scope: Scope, receive: Receive, body: IO[bytes]) -> Answer | Brief:
        answer = await self._call(scope, body)
        poll = _take_mark(answer)
        if poll is None or self.is_stopping:
            return answer
        return await self._poll(scope, receive, body, answer, *poll)

    async def _poll(
        self, scope: Scope, receive: Receive, body: IO[bytes], answer: Answer | Brief, topics: list[str], seconds: float
    ) -> Answer | Brief:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            while (left := deadline - loop.time()) > 0 and not self.is_stopping:
                # Subscribed before the view looks: what is announced while it looks ends this wait at once.
                wait = asyncio.ensure_future(self.wait(topics, min(left, self.limits.recheck_seconds)))
                self.polls.add(wait)
                try:
                    await asyncio.sleep(0)
                    answer.close()
                    answer = await self._call(_repeated(scope), body)
                    if (poll := _take_mark(answer)) is None:
                        break
                    topics = poll[0]
                    await asyncio.wait({wait, gone}, return_when=asyncio.FIRST_COMPLETED)
                    if gone.done():
                        answer.close()
                        raise Gone
                    if wait.done() and not wait.cancelled() and wait.exception():
                        # The hub is in trouble (Redis away): look again, but not in a busy loop.
                        await asyncio.sleep(1)
                finally:
                    self.polls.discard(wait)
                    await _end(wait)
            return answer
        finally:
            await _end(gone)

    async def _call(self, scope: Scope, body: IO[bytes]) -> Answer | Brief:
        if self.running >= self.limits.requests:
            raise Refused(503)
        self.running += 1
        try:
            if self.fast_path and (answer := await self.fast_path(scope, body)):
                return answer
            return await self.bridge.call(scope, body)
        finally:
            self.running -= 1


def _repeating(body: IO[bytes]) -> Receive:
    """The body that was read already, for an ASGI application."""

    async def receive() -> Message:
        body.seek(0)
        return {"type": "http.request", "body": body.read(), "more_body": False}

    return receive


def _announces_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """RFC 9112, 6.3: a request without either header has no body."""
    return any(name == b"transfer-encoding" or (name == b"content-length" and int(value)) for name, value in headers)


def _is_form_of_files(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    kinds = [value for name, value in headers if name == b"content-type"]
    return len(kinds) == 1 and kinds[0].lower().startswith(b"multipart/form-data")


def _declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int:
    lengths = {value for name, value in headers if name == b"content-length"}
    if not lengths:
        return 0
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        raise Refused(400)
    return int(lengths.pop())


async def _read(receive: Receive, body: IO[bytes], limit: int) -> int:
    size, has_more = 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        size += len(message.get("body", b""))
        # Counted, not believed: a chunked body declares nothing, and a declared length may be false.
        if size > limit:
            raise Refused(413)
        body.write(message.get("body", b""))
        has_more = message.get("more_body", False)
    return size


def _with_length(headers: Iterable[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    kept = [header for header in headers if header[0] not in {b"content-length", b"transfer-encoding"}]
    return [*kept, (b"content-length", str(size).encode())]


def _take_mark(answer: Answer | Brief) -> tuple[list[str], float] | None:
    """Topics and seconds if this is a long poll's "nothing yet"; the mark never leaves the house."""
    marks = [value for name, value in answer.headers if name == LONG_POLL]
    answer.headers = [header for header in answer.headers if header[0] != LONG_POLL]
    return longpoll.parse(marks[0].decode("latin1")) if marks else None


def _repeated(scope: Scope) -> Scope:
    return {**scope, "headers": [*scope["headers"], (LONG_POLL_ROUND, b"1")]}


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(task: asyncio.Future[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _say(_status: int, code: str, sentence: str) -> dict[str, str]:
    return {"code": code, "message": sentence}


async def _refuse(send: Send, status: int, voice: Voice) -> None:
    body = json.dumps(voice(status, *SENTENCES[status])).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        # What is left of the body is not worth reading.
        (b"connection", b"close"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"2"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
