"""One robot's connection: REST calls, and a socket that comes back after every cut."""

import asyncio
import contextlib
import http.client
import json
import random
import urllib.error
import urllib.request
from collections.abc import Sequence
from email.message import Message
from http import HTTPStatus
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

ANSWER_SECONDS = 10.0
BROKEN = (OSError, ValueError, http.client.HTTPException)  # no answer, or half of one
FINAL_CODES = {4401, 4403}  # a new connection would be refused like this one


class Refusal(Exception):
    """The server said no: `code` and `retry_after` (seconds) of the protocol."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(frame.get("message", frame.get("code", "refused")))
        self.code: str = frame.get("code", "failed")
        self.retry_after = float(frame.get("retry_after") or 0)


class Ended(Exception):
    """The connection is gone; what was not acknowledged is to be sent again on the next one."""


async def call(url: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Any:
    """POST a JSON body (GET without one) and return the JSON answer. Raises Refusal, or Ended when nobody answers."""
    return await asyncio.to_thread(_call, url, body, headers or {})


def _call(url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})  # noqa: S310 - http(s) only
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            if _is_torn(answer.status, answer.headers):
                raise Ended
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise refusal_of(error) from error
    except BROKEN as error:
        raise Ended from error


def _is_torn(status: int, headers: Message) -> bool:
    """Whether the connection was lost in the middle of the head: http.client takes that for its end, and the answer for an empty one."""
    return status != HTTPStatus.NO_CONTENT and not any(
        name in headers for name in ("Content-Length", "Transfer-Encoding")
    )


def refusal_of(error: urllib.error.HTTPError) -> Refusal | Ended:
    """What a refused request means: whether to try again (Ended), or why not."""
    if error.code >= 500 or _is_torn(error.code, error.headers):
        return Ended()
    try:
        return Refusal(json.loads(error.read()))
    except (OSError, http.client.HTTPException):
        return Ended()
    except ValueError:
        return Refusal({"code": str(error.code)})


class Robot:
    """A client of one of our sockets. A subclass says `hello()` and hears frames in `heard()`."""

    path = ""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = list(urls)
        self.reconnects = -1
        self.stopping = False
        self._socket: ClientConnection | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._ref = 0

    @property
    def url(self) -> str:
        """The server of this turn: after a cut another one is tried."""
        return self.urls[max(self.reconnects, 0) % len(self.urls)].rstrip("/")

    async def hello(self) -> dict[str, Any]:
        raise NotImplementedError

    async def heard(self, frame: dict[str, Any]) -> None:
        raise NotImplementedError

    async def stay_connected(self) -> None:
        """Connect, listen, and connect again until told to stop. Raises Refusal for what no new try can heal."""
        while not self.stopping:
            self.reconnects += 1
            try:
                await self._listen(await self.hello())
            except (OSError, Ended, WebSocketException, TimeoutError):
                pass
            finally:
                self._cut()
            if not self.stopping:
                await asyncio.sleep(random.uniform(0.05, 0.5))

    async def _listen(self, hello: dict[str, Any]) -> None:
        address = self.url.replace("http", "ws", 1) + self.path
        async with connect(address, compression=None, max_size=None, open_timeout=5) as socket:
            self._socket = socket
            await socket.send(json.dumps(hello))
            async for raw in socket:
                frame = json.loads(raw)
                waiting = self._answers.pop(frame.get("ref", ""), None)
                if waiting and not waiting.done() and frame["type"] in ("ack", "error"):
                    waiting.set_result(frame)
                await self.heard(frame)
        if socket.close_code in FINAL_CODES:
            raise Refusal({"code": str(socket.close_code), "message": socket.close_reason or ""})

    def _cut(self) -> None:
        self._socket = None
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(Ended())
        self._answers.clear()

    async def tell(self, frame: dict[str, Any]) -> None:
        """Send a frame that is not acknowledged; lost when there is no connection."""
        if self._socket is not None:
            with contextlib.suppress(OSError, WebSocketException):
                await self._socket.send(json.dumps(frame))

    async def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and return its ack. Raises Refusal, or Ended when the connection goes first."""
        if self._socket is None:
            raise Ended
        self._ref += 1
        ref = str(self._ref)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[ref] = answer
        try:
            await self._socket.send(json.dumps({**frame, "ref": ref}))
            acknowledged = await asyncio.wait_for(answer, ANSWER_SECONDS)
        except (OSError, WebSocketException, TimeoutError) as error:
            raise Ended from error
        finally:
            self._answers.pop(ref, None)
        if acknowledged["type"] == "error":
            raise Refusal(acknowledged)
        return acknowledged

    async def insist(self, frame: dict[str, Any]) -> dict[str, Any]:
        """`ask` until there is an answer: over cuts, and after what the server asks to try again. The frame's client_id makes that harmless."""
        while True:
            try:
                return await self.ask(frame)
            except Ended:
                await asyncio.sleep(0.1)
            except Refusal as refusal:
                if refusal.code not in ("unavailable", "failed", "too_many"):
                    raise
                await asyncio.sleep(refusal.retry_after or 0.3)

    async def stop(self) -> None:
        self.stopping = True
        if self._socket is not None:
            await self._socket.close()

    def vanish(self) -> None:
        """Be gone without a word, as when a machine loses its power; never to come back."""
        self.stopping = True
        if self._socket is not None:
            self._socket.transport.abort()
