"""The network below httpcore: only to judged addresses, never past a deadline, never more than so many bytes.

What httpcore calls a time-out and hands through untouched is here the moment at which the whole call ends (time.monotonic()): a time-out of
each step would let a receiver that drips one byte a second go on for ever.
"""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from . import guard

LARGEST_ANSWER = 64 * 1024  # bytes, head and body


class TooLong(Exception):
    """The answer goes on beyond what we read."""


class Network(httpcore.NetworkBackend):
    """Connects to what `guard` finds for a name."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to one of the host's addresses. Raises what guard raises, and OSError."""
        until = _moment(timeout)
        places = guard.find_places(host, port, until)
        for left, place in zip(range(len(places), 0, -1), places, strict=True):
            try:
                # The last one may take all the time that is left, the others their share of it.
                return Stream(_connect(place, _seconds(until) / left))
            except OSError:
                if left == 1:
                    raise
        raise guard.NotResolved("The server's name is not known.")


class Stream(httpcore.NetworkStream):
    """A socket that is read and written until a moment, and read up to a size since the last writing."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.bytes_read = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        room = LARGEST_ANSWER - self.bytes_read
        if room <= 0:
            raise TooLong
        self.socket.settimeout(_seconds(_moment(timeout)))
        data = self.socket.recv(min(max_bytes, room))
        self.bytes_read += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        until, rest = _moment(timeout), memoryview(buffer)
        self.bytes_read = 0
        try:
            while rest:
                self.socket.settimeout(_seconds(until))
                rest = rest[self.socket.send(rest) :]
        except TimeoutError:
            raise
        except OSError as error:
            # Who refuses a body may have answered before reading it: httpcore then looks for the answer.
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self.socket.settimeout(_seconds(_moment(timeout)))
            return Stream(ssl_context.wrap_socket(self.socket, server_hostname=server_hostname))
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of an idle connection: whether the other side has hung up."""
        if info == "is_readable":
            poll = select.poll()
            poll.register(self.socket, select.POLLIN)
            return bool(poll.poll(0))
        return None


def _connect(place: guard.Place, seconds: float) -> socket.socket:
    connected = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        connected.settimeout(seconds)
        connected.connect(place.address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


def _moment(timeout: float | None) -> float:
    if timeout is None:
        raise ValueError("A call needs a moment at which it ends.")
    return timeout


def _seconds(until: float) -> float:
    """What is left. Raises TimeoutError when it is nothing."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
