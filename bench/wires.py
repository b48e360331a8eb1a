"""Clients that cost next to nothing: a websocket and an HTTP/1.1 connection on bare asyncio. For our own server alone: they forgive nothing."""

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
KEY = "YmVuY2hiZW5jaGJlbmNoYg=="  # 16 bytes, as the protocol wants

Heard = Callable[[bytes], None]


class Lost(Exception):
    """The connection ended, or the answer was not what it had to be."""


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Masked with zeros, which the protocol allows and which costs nothing."""
    size = len(payload)
    head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    return b"".join((head, b"\0\0\0\0", payload))


class WebSocket(asyncio.Protocol):
    """Hands each text to `heard`; answers pings of the protocol."""

    def __init__(self, path: str, heard: Heard) -> None:
        self.path, self.heard = path, heard
        self.data = bytearray()
        self.is_open = self.is_closed = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.is_open and not self._begin():
            return
        while (found := self._next()) is not None:
            self._take(*found)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(Lost(bytes(self.data[:300]).decode(errors="replace") or str(error)))
        elif not self.is_closed:
            self.heard(b'{"type": "bye", "message": "the connection was lost"}')

    def send(self, said: dict[str, Any]) -> None:
        self.transport.write(frame(json.dumps(said).encode()))

    def close(self) -> None:
        self.is_closed = True
        self.transport.close()

    def _begin(self) -> bool:
        head, end, rest = bytes(self.data).partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.transport.close()
            return False
        self.data, self.is_open = bytearray(rest), True
        self.opened.set_result(None)
        return True

    def _next(self) -> tuple[int, bytes] | None:
        data = self.data
        if len(data) < 2:
            return None
        size, start = data[1], 2
        if size == 126:
            size, start = (int.from_bytes(data[2:4]), 4) if len(data) >= 4 else (65_536, 4)
        elif size == 127:
            size, start = (int.from_bytes(data[2:10]), 10) if len(data) >= 10 else (1 << 62, 10)
        if len(data) < start + size:
            return None
        payload = bytes(data[start : start + size])
        opcode = data[0] & 0x0F
        del data[: start + size]
        return opcode, payload

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.heard(payload)
        elif opcode == PING:
            self.transport.write(frame(payload, PONG))
        elif opcode == CLOSE:
            self.transport.close()


async def open_socket(port: int, path: str, heard: Heard) -> WebSocket:
    """An open websocket. Raises Lost."""
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(lambda: WebSocket(path, heard), "127.0.0.1", port)
    await socket.opened
    return socket


class Http(asyncio.Protocol):
    """One connection that is kept; one request at a time."""

    waiting: "asyncio.Future[tuple[int, bytes]] | None" = None

    def connection_made(self, transport: Any) -> None:
        self.transport, self.data = transport, b""

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """(status, body)."""
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.waiting

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        if not end or self.waiting is None:
            return
        at = head.lower().find(b"\r\ncontent-length:")
        size = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) >= size:
            waiting, self.waiting, self.data = self.waiting, None, b""
            waiting.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self.waiting and not self.waiting.done():
            self.waiting.set_exception(Lost(str(error)))

    def close(self) -> None:
        self.transport.close()


async def open_http(port: int) -> Http:
    _, http = await asyncio.get_running_loop().create_connection(Http, "127.0.0.1", port)
    return http


def request(method: str, path: str, headers: dict[str, str], body: Any = None) -> bytes:
    """The bytes of a request, made once and sent often."""
    content = b"" if body is None else json.dumps(body).encode()
    sent = {"Host": "127.0.0.1", **headers}
    if body is not None:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content
