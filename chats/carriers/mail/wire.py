"""Connections to mail servers: only to addresses that the outbox's guard allows, never past a moment, certificates verified.

Libraries for mail know a time-out for each step only; a server that drips one byte a second would hold a thread for ever. So every
conversation also has an end, at which its socket is shut whatever goes on.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from chats.outbox import guard
from chats.outbox.sending import trusted

SECURITIES = ("ssl", "starttls", "none")
STEP_SECONDS = 15.0  # for one answer


class Trouble(Exception):
    """A mail server does not do what we want: a sentence for people. again: whether it may do so later; was_answered: whether anybody was there."""

    def __init__(self, sentence: Any, *, again: bool = True, was_answered: bool = True) -> None:
        super().__init__(str(sentence))
        self.again = again
        self.was_answered = was_answered


class Client(Protocol):
    """smtplib's or imaplib's."""

    @property
    def sock(self) -> Any: ...


def connect(host: str, port: int, until: float) -> socket.socket:
    """A connection to one of the host's addresses, not yet safe. `until`: a moment of time.monotonic(). Raises Trouble."""
    with told():
        failure: OSError = TimeoutError()
        for place in guard.find_places(host, port, until):
            plain = socket.socket(place.family, socket.SOCK_STREAM)
            try:
                plain.settimeout(seconds_until(until))
                plain.connect(place.address)
            except OSError as error:
                plain.close()
                failure = error
            else:
                return plain
        raise failure


def make_safe(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """TLS from the first byte, or from now on. Raises what ssl raises."""
    try:
        return trusted().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What the network brings about, as Trouble."""
    try:
        yield
    except guard.AddressRefused as error:
        raise Trouble(error, again=False, was_answered=False) from error
    except guard.NotResolved as error:
        raise Trouble(error, was_answered=False) from error
    except TimeoutError as error:
        raise Trouble(_("The mail server does not answer in time."), was_answered=False) from error
    except ssl.SSLError as error:
        why = error.reason or type(error).__name__
        raise Trouble(_("No safe connection to the mail server: %(why)s.") % {"why": why}) from error
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Trouble(_("No connection to the mail server: %(why)s.") % {"why": why}, was_answered=False) from error


@contextlib.contextmanager
def ends(until: float, client: Client) -> Iterator[None]:
    """Shut the client's connection at this moment, whoever is waiting on it."""

    def shut() -> None:
        with contextlib.suppress(OSError, AttributeError):  # or none, at its end
            client.sock.shutdown(socket.SHUT_RDWR)  # asked now: STARTTLS gives it another socket

    timer = threading.Timer(max(until - time.monotonic(), 0), shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def seconds_until(until: float) -> float:
    """For one step. Raises TimeoutError when no time is left."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, STEP_SECONDS)
