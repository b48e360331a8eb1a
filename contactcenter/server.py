"""The web server: uvicorn with the limits that sockets and HTTP need, and a word when it really serves."""

import asyncio
import contextlib
import gc
import itertools
import json
import logging
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from contactcenter.waiting import Flag, Inbox

log = logging.getLogger(__name__)

# A client that does not read keeps its connection open for ever: after this time it is cut.
GRACE_SECONDS = 5
READY_SECONDS = 60
# For a request's line and headers. uvicorn itself would wait, and collect, without end.
HEAD_SECONDS = 20
LARGEST_HEAD = 65_536  # bytes
# By the beginning of the path, in bytes. HyperChat's clients send a whole history in one frame, Expertflow's send files.
LARGE_FRAMES = {"/v1/socket.io": 1_000_000, "/socket.io": 4_000_000}


def configuration(*, trusted_proxies: list[str]) -> uvicorn.Config:
    """uvicorn's settings. The socket limits are those of docs/realtime.md; deflate would double a socket's memory."""
    return uvicorn.Config(
        "contactcenter.asgi:application",
        loop="uvloop",
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=65536,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,  # longer than a proxy keeps its idle connections: else it meets a closed one
        limit_concurrency=None,
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="on",
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies,
    )


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's own, with an end to what a client may take before its request has begun."""

    head_timer: asyncio.TimerHandle | None = None
    head_size = 0
    is_in_head = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self.is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # refused, or a websocket by now
            return
        is_idle = self.cycle is None or self.cycle.response_complete
        if not self.is_in_head and not is_idle:
            return
        self.head_size += len(data)
        if self.head_size > LARGEST_HEAD:
            self.send_400_response("The request's head is too long.")
        elif self.timeout_keep_alive_task is None:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        self.head_size = 0
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own, with a way to drop a client that does not read (closing would wait until it has read everything),
    and one to ask whether it has taken what was sent."""

    queue: Any
    writable: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.queue, self.writable = Inbox(), Flag(is_set=True)
        self.asked: dict[bytes, Callable[[], None]] = {}  # by a ping's content, in the order in which they went
        self.numbers = itertools.count(1)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        event.headers.clear()  # the connection keeps the request for ever; the scope has all that is asked for
        if scope := getattr(self, "scope", None):
            scope["extensions"]["contactcenter.abort"] = self.transport.abort
            scope["extensions"]["contactcenter.ping"] = self.ask
            largest = next((size for start, size in LARGE_FRAMES.items() if scope["path"].startswith(start)), 0)
            self.conn.max_message_size = largest or self.conn.max_message_size

    def start_keepalive(self) -> None:
        super().start_keepalive()
        self.response.headers.clear()  # it has been sent

    def ask(self, answered: Callable[[], None]) -> None:
        """Ping; `answered` is called when the client has taken everything before it, and never when it is gone."""
        if self.close_sent or self.transport.is_closing():
            return
        content = b"received %d" % next(self.numbers)
        self.asked[content] = answered
        self.conn.send_ping(content)
        self.transport.write(b"".join(self.conn.data_to_send()))

    def send_keepalive_ping(self) -> None:
        super().send_keepalive_ping()
        if self.pending_ping_payload is not None:
            self.asked[self.pending_ping_payload] = lambda: None

    def handle_pong(self, event: Any) -> None:
        super().handle_pong(event)
        content = bytes(event.data)
        # A pong may stand for earlier pings, too (RFC 6455, 5.5.3).
        while content in self.asked:
            self.asked.pop(next(iter(self.asked)))()


class Server(uvicorn.Server):
    """Tells `on_ready` once /readyz has answered 200, and ends long polls before it waits for connections."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self.on_ready = on_ready
        self.probe: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit and sockets:
            host, port = sockets[0].getsockname()[:2]
            self.probe = asyncio.create_task(self._tell_when_ready(host, port))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from contactcenter.asgi import edge

        edge.stop()
        if self.probe:
            self.probe.cancel()
        await super().shutdown(sockets)

    async def _tell_when_ready(self, host: str, port: int) -> None:
        # 0.0.0.0 is where to listen, not where to call.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        last = ""
        for _ in range(READY_SECONDS * 5):
            status, answer = await _ask(host, port)
            if status == 200:
                break
            if answer != last:
                log.warning("not ready yet: %s", answer)
                last = answer
            await asyncio.sleep(0.2)
        else:
            return
        # What was made during the start stays for ever: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        self.on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")


async def _ask(host: str, port: int) -> tuple[int, str]:
    """Status and checks of our own /readyz; 0 when there is no answer."""
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.dumps(json.loads(body).get("checks", {}))
    except (OSError, TimeoutError, ValueError, IndexError) as error:
        return 0, type(error).__name__
