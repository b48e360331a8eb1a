"""Tokens by which a service knows us, kept in this process until they end."""

import os
import threading
import time
from collections.abc import Callable
from hashlib import sha256


class Tokens:
    """By the credentials of which they are made: new credentials have new ones. Of threads that want the same, one makes it."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[bytes, tuple[str, float]] = {}
        self._makers: dict[bytes, threading.Lock] = {}

    def get(self, credentials: str, make: Callable[[], tuple[str, float]], *, but: str = "") -> str:
        """The token, made by `make` (token, seconds) where there is none. but: one that was refused. Raises what `make` raises."""
        key = sha256(credentials.encode(errors="replace")).digest()
        with self._lock:
            maker = self._makers.setdefault(key, threading.Lock())
        with maker:
            token, until = self._kept.get(key, ("", 0.0))
            if not token or token == but or until <= time.monotonic():
                token, seconds = make()
                with self._lock:
                    self._kept[key] = (token, time.monotonic() + seconds)
            return token
