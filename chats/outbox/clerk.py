"""One life of the courier: a thread that asks the database, and threads that ask the network.

The clerk claims calls and notes what became of them, many in one short transaction, and holds no connection in between. The callers know
nothing of the database: a receiver that takes its time costs one of these threads, never a connection, a task or a request.
"""

import heapq
import queue
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.db import close_old_connections, connection, connections
from django.utils import timezone

from chats.models.errand import Errand
from contactcenter.outage import is_outage

from . import lanes
from .sending import Sender
from .targets import Targets

log = structlog.get_logger(__name__)

THREADS = 24
PAUSE = 1.0  # seconds, when the database is away
CONNECTION_SECONDS = 60  # that the clerk's own connection is kept
SOON = timedelta(seconds=60)  # waits that this process remembers itself; sweeps find what is due later

Job = tuple[Errand, float]  # and the moment after which it must not begin: its lease would not outlast it


class Outcome(Protocol):
    """What became of one try. was_answered: whether the other side said anything at all."""

    @property
    def errand(self) -> Errand: ...
    @property
    def was_answered(self) -> bool: ...


class Book(Protocol):
    """What is to be done, how, and what follows from it: calls to web hooks, messages that carriers send."""

    lanes: lanes.Lanes[Any]

    def prepare(self, claimed: Sequence[Any]) -> None:
        """Load what doing them needs: whoever does them asks nothing of the database."""

    def do(self, errand: Any, sender: Sender, seconds: float) -> Outcome:
        """One try, in a thread of its own. Raises nothing."""

    def note(self, outcomes: Sequence[Any], now: datetime) -> list[Any]:
        """Write down what became of them: the errands as they are now, without those that are nobody's or another's business by now."""


class Clerk:
    """Begins with `poke`, ends with `stop`."""

    def __init__(self, book: Book, seconds: float) -> None:
        self.book = book
        self.seconds = seconds  # for one errand
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        # What other threads hand in, under the condition's lock.
        self._poked: dict[UUID, None] = {}
        self._returned: list[tuple[Errand, Outcome | None]] = []
        # The clerk's own.
        self._targets = Targets(THREADS)
        self._later: list[tuple[float, UUID, int]] = []  # a heap of (moment, target, number)
        self._next_due: dict[
            UUID, tuple[int, datetime]
        ] = {}  # of each target what was last put there because it waits for others
        self._not_noted: list[Outcome] = []
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._callers: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def poke(self, target_id: UUID) -> None:
        """There may be something to call for. Returns at once."""
        with self._changed:
            self._poked[target_id] = None
            self._changed.notify()

    def stop(self, patience: float) -> bool:
        """Begin no more calls, and note those that end within `patience` seconds; whether that was all."""
        self._stopping.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(patience)
        return not self._thread.is_alive()

    # The clerk --------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        take_own_connection()
        self._sender = Sender()
        try:
            while self._wait():
                self._work()
        finally:
            for _ in self._callers:
                self._jobs.put(None)
            self._sender.close()
            connections.close_all()

    def _wait(self) -> bool:
        """Until there is something to do; False when there never will be."""
        with self._changed:
            while not self._stopping.is_set():
                self._collect()
                if self._returned or self._not_noted or self._targets.is_waiting:
                    return True
                self._targets.forget_idle()
                close_old_connections()
                next_at = self._later[0][0] - time.monotonic() if self._later else CONNECTION_SECONDS
                self._changed.wait(min(next_at, CONNECTION_SECONDS))
            while self._targets.under_way and not self._returned:
                self._changed.wait()
            return bool(self._returned or self._not_noted)

    def _collect(self) -> None:
        """Who was poked, and whose time has come."""
        self._targets.look(self._poked)
        self._poked.clear()
        while self._later and self._later[0][0] <= time.monotonic():
            _, target_id, number = heapq.heappop(self._later)
            self._targets.add(target_id, number)

    def _work(self) -> None:
        try:
            self._settle()
            if not self._stopping.is_set():
                self._claim()
        except Exception as error:  # the outermost door of this thread
            if is_outage(error):
                log.warning("calls wait for the database", why=repr(error)[:200])
            else:
                log.exception("calls could not be claimed or noted")
            self._targets.doubt()
            if self._stopping.wait(PAUSE):
                self._not_noted.clear()  # they will be made again, with the same ids
        finally:
            close_old_connections()

    def _settle(self) -> None:
        with self._changed:
            returned, self._returned = self._returned, []
        for errand, outcome in returned:
            # One that was not even begun says nothing about the receiver.
            self._targets.end(errand.target_id, was_answered=outcome is None or outcome.was_answered)
            if outcome:
                self._not_noted.append(outcome)
        if self._not_noted:
            now = timezone.now()
            settled = self._note(now)
            self._not_noted = []
            self._go_on(settled, now)

    def _note(self, now: datetime) -> list[Errand]:
        """All together; if that cannot be, one by one, without the one that cannot be noted: its lease runs out, and it is made again."""
        try:
            return self.book.note(self._not_noted, now)
        except Exception as error:
            if is_outage(error):
                raise
        settled = []
        for outcome in self._not_noted:
            try:
                settled += self.book.note([outcome], now)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("an attempt could not be noted", errand=str(outcome.errand.id))
        return settled

    def _go_on(self, settled: Iterable[Errand], now: datetime) -> None:
        """The next of each lane that is free now, and those that are to be tried again soon."""
        settled = list(settled)
        for target_id, number in self.book.lanes.following([row for row in settled if row.is_done]):
            if number is None:
                self._targets.look([target_id])
            else:
                self._targets.add(target_id, number)
        for row in settled:
            if not row.is_done:
                self._remember(row.target_id, row.number, row.due_at - now)

    def _remember(self, target_id: UUID, number: int, wait: timedelta) -> None:
        """To look at this one then, if that is soon."""
        if wait <= SOON:
            heapq.heappush(self._later, (time.monotonic() + wait.total_seconds(), target_id, number))

    def _claim(self) -> None:
        now = timezone.now()
        numbers = self._targets.serve(lambda target_id: self._scan(target_id, now))
        if not numbers:
            return
        # Taken before the claim: the lease of a process that was stopped meanwhile is over sooner than it thinks.
        start_by = time.monotonic() + lanes.LEASE.total_seconds() / 2 - self.seconds / 2
        claimed = self.book.lanes.claim(numbers, now)
        self.book.prepare(claimed)
        for errand in claimed:
            self._targets.begin(errand.target_id)
            self._jobs.put((errand, start_by))
        while len(self._callers) < min(THREADS, self._targets.under_way):
            self._callers.append(threading.Thread(target=self._call, name="caller", daemon=True))
            self._callers[-1].start()

    def _scan(self, target_id: UUID, now: datetime) -> tuple[list[int], bool]:
        found = self.book.lanes.scan(target_id, now)
        waiting = self.book.lanes.next_due(target_id, now)
        if waiting and self._next_due.get(target_id) != waiting:
            self._next_due[target_id] = waiting
            self._remember(target_id, waiting[0], waiting[1] - now)
        return found, len(found) == lanes.SCANNED

    # The callers ------------------------------------------------------------------------------------------------------

    def _call(self) -> None:
        while job := self._jobs.get():
            errand, start_by = job
            outcome = self.book.do(errand, self._sender, self.seconds) if time.monotonic() < start_by else None
            with self._changed:
                self._returned.append((errand, outcome))
                self._changed.notify()


def take_own_connection() -> None:
    """Give this thread a connection beside the pool: Celery closes the pool of a worker's child around each of its tasks."""
    options = dict(connection.settings_dict["OPTIONS"])
    if options.pop("pool", None):
        own = {"OPTIONS": options, "CONN_MAX_AGE": CONNECTION_SECONDS}
        connection.settings_dict = {**connection.settings_dict, **own}  # this thread's wrapper alone
