"""Wake-ups to the workers, published by a thread of their own.

Nobody who holds a request or a batch waits for a broker: publishing may hang for seconds. What is lost here (too many pending, broker away,
process killed) is found by the sweep two seconds later, because the obligation is a row.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)

MOST_PENDING = 5_000
# Seconds between two wake-ups for the same row: a team with many new chats is routed for several of them at once.
REST = 0.05

Publish = Callable[[str, str], None]  # (task, id)


class Waker:
    """Collects wake-ups, each pending at most once, and publishes them one after the other."""

    def __init__(self, publish: Publish, *, most_pending: int = MOST_PENDING) -> None:
        self.publish = publish
        self.most_pending = most_pending
        self.dropped = 0
        self._thread: threading.Thread | None = None
        self._begin()

    def wake(self, task: str, row_id: Any) -> None:
        """Ask for a task to be run soon. Returns at once, in every thread."""
        if self._process != os.getpid():
            self._begin()  # after a fork: the parent's thread is not here, and its lock may be held by nobody
        with self._changed:
            key = (task, str(row_id))
            if key in self._pending:
                return
            if len(self._pending) >= self.most_pending:
                self._drop()
                return
            self._pending[key] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._pending: dict[tuple[str, str], None] = {}  # in the order of asking
        self._published: dict[tuple[str, str], float] = {}  # just now, and when
        self._thread = None
        self._is_full = False

    def _drop(self) -> None:
        self.dropped += 1
        if not self._is_full:  # said once, until there is room again
            self._is_full = True
            log.warning("too many wake-ups are pending: the sweep will find the rest", pending=len(self._pending))

    def _run(self) -> None:
        while True:
            with self._changed:
                key = self._next()
                # Taken out before it is published: who asks from now on wants another look.
                del self._pending[key]
                self._published[key] = time.monotonic()
                self._is_full = False
            try:
                self.publish(*key)
            except Exception as error:  # noqa: BLE001 - the outermost door of this thread; whatever the broker throws
                log.warning("a wake-up was not published: the sweep will find it", task=key[0], error=repr(error)[:200])

    def _next(self) -> tuple[str, str]:
        """Wait for one that was not published just now."""
        while True:
            now = time.monotonic()
            self._published = {key: at for key, at in self._published.items() if at + REST > now}
            for key in self._pending:
                if key not in self._published:
                    return key
            self._changed.wait(min(self._published.values()) + REST - now if self._pending else None)
