"""Makes the calls that are due, in every process that is asked to: an embedded server, each child of a worker.

Whoever asks returns at once, and a wake-up may be lost: `sweep` finds what is due. A process that dies leaves its claims to expire.
"""

import atexit
import os
import threading
from datetime import datetime
from uuid import UUID

from . import settle
from .batches import calls
from .calling import Calls
from .clerk import Book, Clerk
from .sending import SECONDS

STOP_SECONDS = 5.0  # what is under way for longer is made again after its lease


class Courier:
    """One per process and book; its threads begin with the first errand, and again after a fork or a stop."""

    def __init__(self, book: Book, *, seconds: float = SECONDS) -> None:
        self.book, self.seconds = book, seconds
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        # After a fork the parent's threads are not here, and its locks may be held by nobody.
        self._lock = threading.Lock()
        self._clerk: Clerk | None = None

    def poke(self, target_id: UUID) -> None:
        """There may be something to do for this target. Unknown ids and those of others do no harm."""
        with self._lock:
            self._clerk = self._clerk or Clerk(self.book, self.seconds)
            self._clerk.poke(target_id)

    def stop(self, patience: float = STOP_SECONDS) -> bool:
        """Let calls under way end and be noted; whether all did."""
        with self._lock:
            clerk, self._clerk = self._clerk, None
        return clerk is None or clerk.stop(patience)


courier = Courier(Calls())
atexit.register(courier.stop)


def sweep(now: datetime) -> None:
    """Calls: what waits for those who want no more, then everything that is due."""
    settle.give_up_unwanted(now)
    for webhook_id in calls.due_targets(now):
        courier.poke(webhook_id)
