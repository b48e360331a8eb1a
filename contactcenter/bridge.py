"""One request through a WSGI application on a thread of a fixed pool: one hop there, one hop back.

a2wsgi's own middleware crosses between thread and event loop for every part of body and answer, because it streams. Here
the body is complete before and the answer is collected, so that a thread never waits for a client (contactcenter.edge).
"""

import asyncio
import contextvars
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from a2wsgi.wsgi import build_environ

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

MEGABYTE = 1024 * 1024
CHUNK = 64 * 1024


class Refused(Exception):
    """The edge itself answers, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Answer:
    """What the application answered: status, headers (lower case) and body, on disk above a megabyte."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=MEGABYTE)  # noqa: SIM115 - closed by close()

    def start(self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], int]:
        """WSGI's start_response."""
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]
        return self.body.write

    async def send(self, send: Send) -> None:
        """Give it to the client, as fast as the client reads."""
        if not self.status:
            raise RuntimeError("The application gave no answer.")
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        self.body.seek(0)
        chunk, following = self.body.read(CHUNK), self.body.read(CHUNK)
        while following:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk, following = following, self.body.read(CHUNK)
        await send({"type": "http.response.body", "body": chunk})

    def close(self) -> None:
        self.body.close()


@dataclass(slots=True)
class Brief:
    """An answer that is there as a whole; may be sent more than once."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes

    async def send(self, send: Send) -> None:
        """Give it to the client."""
        headers = [*self.headers, (b"content-length", b"%d" % len(self.content))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.content})

    def close(self) -> None:
        """Nothing is held."""


class Bridge:
    """A WSGI application and its threads."""

    def __init__(self, wsgi: Any, threads: int) -> None:
        self.wsgi = wsgi
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def call(self, scope: Scope, body: IO[bytes]) -> Answer:
        """The application's answer to a request whose body has been read. Raises what the application raises."""
        body.seek(0)
        environ = build_environ(scope, body)  # type: ignore[arg-type]  # a file is what WSGI asks for
        # A context of its own: the active language of one request must not be the next one's on this thread.
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self.executor, run, self._call, environ)

    def _call(self, environ: Any) -> Answer:
        answer = Answer()
        try:
            parts = self.wsgi(environ, answer.start)
            try:
                for part in parts:
                    answer.body.write(part)
            finally:
                # Django's request_finished: the connection goes back to its pool.
                getattr(parts, "close", lambda: None)()
        except BaseException:
            answer.close()
            raise
        return answer
