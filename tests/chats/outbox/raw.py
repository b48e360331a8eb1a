"""A server that speaks bytes, for answers that no proper server gives."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

Talk = Callable[[socket.socket], None]


class RawServer:
    """Takes connections one after the other, each in a thread; `talk` says what happens once the request's head has come."""

    def __init__(self, talk: Talk, *, context: ssl.SSLContext | None = None, family: int = socket.AF_INET) -> None:
        self.talk, self.context = talk, context
        self.heads: list[bytes] = []
        self.connections = 0
        self.is_over = threading.Event()
        self.listener = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def __enter__(self) -> "RawServer":
        return self

    def __exit__(self, *_: Any) -> None:
        self.is_over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            while head := self._head(connection):
                self.heads.append(head)
                self.talk(connection)
            connection.close()

    def _head(self, connection: socket.socket) -> bytes:
        """A request with its body; empty at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (part := connection.recv(65536)):
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(body) < length and (part := connection.recv(65536)):
            body += part
        return head


def says(*parts: bytes, then: Callable[[], Any] = lambda: None) -> Talk:
    """Send these, do `then`, hang up."""

    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        then()
        connection.shutdown(socket.SHUT_RDWR)

    return talk
