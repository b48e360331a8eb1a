"""Group commit: one thread with a connection of its own stores what everybody posts.

Whatever arrives while a commit runs goes into the next transaction, in the order of arrival. Answers follow the commit.
Every door may use it: sockets by `post` (answers arrive in their event loop), threads by `submit`.
"""

import asyncio
import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection
from django.utils import timezone

from chats.actions.post import Busy, Post, Posted, post_messages
from chats.errors import Failed, Refused, TooMany, Unavailable
from contactcenter.outage import is_outage

log = structlog.get_logger(__name__)

AT_ONCE = 256  # messages in one transaction
PATIENCE = 5.0  # seconds that a message waits for a chat whose row others hold
BACKLOG = 20_000  # messages that may wait
PAUSE = 0.01  # seconds between two looks at chats that were busy


Outcome = Posted | Refused


@dataclass(slots=True)
class Item:
    """One message on its way; its answer goes into `future`, in `loop` where there is one."""

    post: Post
    future: Any
    loop: asyncio.AbstractEventLoop | None
    since: float


class Poster:
    """One per process. The thread starts with the first message."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[Item] = deque()
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    def post(self, post: Post) -> "asyncio.Future[Outcome]":
        """From an event loop: the future of the outcome (a Refused as a value). Two calls in a row keep their order."""
        loop = asyncio.get_running_loop()
        item = Item(post, loop.create_future(), loop, time.monotonic())
        self._add(item)
        return item.future  # type: ignore[no-any-return]

    def submit(self, post: Post) -> "Future[Outcome]":
        """The same from a thread: wait with result(timeout)."""
        item = Item(post, Future(), None, time.monotonic())
        self._add(item)
        return item.future  # type: ignore[no-any-return]

    def stop(self) -> None:
        """Store what waits, then end the thread."""
        with self._condition:
            thread, self._is_stopping = self._thread, True
            self._condition.notify()
        if thread:
            thread.join(PATIENCE * 2)
        self._forget()

    def _add(self, item: Item) -> None:
        with self._condition:
            if len(self._waiting) < BACKLOG:
                self._waiting.append(item)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="poster", daemon=True)
                    self._thread.start()
                self._condition.notify()
                return
        _answer([(item, TooMany(retry_after=2))])

    # The thread -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        busy: list[Item] = []
        try:
            while (batch := self._next(busy)) is not None:
                busy = self._commit_whatever(batch)
        finally:
            connection.close()

    def _next(self, busy: list[Item]) -> list[Item] | None:
        """What was busy, then what has arrived since: messages to one chat never overtake each other."""
        with self._condition:
            if busy:
                if not self._waiting:
                    self._condition.wait(PAUSE)
            else:
                while not self._waiting and not self._is_stopping:
                    self._condition.wait()
            if not busy and not self._waiting:
                return None
            room = max(AT_ONCE - len(busy), AT_ONCE // 4)
            return busy + [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]

    def _commit_whatever(self, batch: list[Item]) -> list[Item]:
        """The outermost door of this thread: without it nobody would ever be answered again."""
        try:
            return self._commit(batch)
        except Exception:
            log.exception("batch failed")
            _answer([(item, Failed()) for item in batch if not item.future.done()])
            return []

    def _commit(self, batch: list[Item]) -> list[Item]:
        """Store a batch and answer; returns what has to wait for the next one."""
        outcomes = _store([item.post for item in batch])
        now = time.monotonic()
        answers: list[tuple[Item, Outcome]] = []
        busy: list[Item] = []
        for item, outcome in zip(batch, outcomes, strict=True):
            if not isinstance(outcome, Busy):
                answers.append((item, outcome))
            elif now - item.since > PATIENCE:
                answers.append((item, Unavailable()))
            else:
                busy.append(item)
        _answer(answers)
        return busy


def _store(posts: Sequence[Post]) -> list[Outcome | Busy]:
    """One transaction. When the database is away, everything is unavailable; an unforeseen fault is found by trying each alone."""
    was_connected = connection.connection is not None
    try:
        return post_messages(posts, now=timezone.now())
    except Exception as error:  # the outermost door of this thread
        if is_outage(error):
            connection.close()
            # A connection that was idle while the database restarted is noticed only now. Trying again is harmless: client ids.
            return _store(posts) if was_connected else [Unavailable() for _ in posts]
        if len(posts) > 1:
            return [_store([post])[0] for post in posts]
        log.exception("post failed", chat=str(posts[0].chat_id))
        return [Failed()]


def _answer(answers: list[tuple[Item, Outcome]]) -> None:
    """Give the outcomes to whoever waits: each event loop is woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Any, Outcome]]] = defaultdict(list)
    for item, outcome in answers:
        if item.loop is not None:
            by_loop[item.loop].append((item.future, outcome))
        elif not item.future.cancelled():
            item.future.set_result(outcome)
    for loop, pairs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, pairs)
        except RuntimeError:  # the loop has ended; nobody waits there any more
            continue


def _resolve(pairs: list[tuple[Any, Outcome]]) -> None:
    for future, outcome in pairs:
        if not future.done():
            future.set_result(outcome)


poster = Poster()
