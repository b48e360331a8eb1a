"""One hub a process: announcements go to this process's listeners first, then to the other processes."""

import asyncio
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from django.conf import settings

from .relay import Relay

log = structlog.get_logger(__name__)

Payload = dict[str, Any]
Listener = Callable[[str, Payload], None]

PENDING = 50_000  # announcements that wait for the event loop; more are dropped, and readers heal by the log


class Hub:
    """Topics and their listeners. Listeners are called in the event loop and must return at once."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.sockets: Counter[str] = Counter()
        # For tests: what it returns True for is lost on its way.
        self.loses: Callable[[str, Payload], bool] | None = None
        self._listeners: dict[str, dict[Listener, None]] = {}
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A new process, or one that was forked: threads and loops of the parent are not here."""
        self._lock = threading.Lock()
        self._pending: deque[tuple[str, Payload]] = deque()
        self._is_scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relay: Relay | None = None
        self._listeners.clear()

    # The server's life ------------------------------------------------------------------------------------------------

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Feed listeners in this loop from now on."""
        self._loop = loop
        self._is_scheduled = False
        self._pending.clear()
        if settings.REDIS_URL:
            self._relay = Relay(self._deliver, self.counters)
            self._relay.start(receives=True)

    async def stop(self) -> None:
        self._loop = None
        relay, self._relay = self._relay, None
        if relay:
            await relay.stop()

    # Announcing: any thread -------------------------------------------------------------------------------------------

    def is_wanted(self, topic: str) -> bool:
        """Whether anybody may hear it: spares the making of what nobody reads."""
        return bool(settings.REDIS_URL) or topic in self._listeners

    def announce(self, topic: str, payload: Payload) -> None:
        """Tell whoever listens, here and in other processes. Never waits, never fails."""
        self.announce_all([(topic, payload)])

    def announce_all(self, items: Sequence[tuple[str, Payload]]) -> None:
        """The same for many, which are heard in this order and wake the event loop once."""
        loop = self._loop or self._own_loop()
        if loop is None or not items:
            return
        with self._lock:
            room = max(PENDING - len(self._pending), 0)
            if room < len(items):
                self.counters["dropped"] += len(items) - room
            self._pending.extend(items[:room])
            if self._is_scheduled or not room:
                return
            self._is_scheduled = True
        try:
            loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop was closed under us: the process ends
            self._is_scheduled = False

    def _drain(self) -> None:
        """All that was announced since the last turn of the loop, as one piece."""
        with self._lock:
            items, self._pending = list(self._pending), deque()
            self._is_scheduled = False
        if self.loses is not None:
            items = [item for item in items if not self.loses(*item)]
        self.counters["announced"] += len(items)
        for topic, payload in items:
            self._deliver(topic, payload)
        if self._relay:
            self._relay.push(items)

    def _deliver(self, topic: str, payload: Payload) -> None:
        # A copy: hearing may end a subscription.
        for listener in tuple(self._listeners.get(topic, ())):
            try:
                listener(topic, payload)
            except Exception:  # the outermost door: one listener's fault is not the next one's
                log.exception("listener failed", topic=topic)

    def _own_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of a thread of our own, in a process that serves nothing (a task worker, a command)."""
        if not settings.REDIS_URL:
            return None
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._run_own, args=(self._loop,), name="live", daemon=True).start()
            return self._loop

    def _run_own(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._relay = Relay(self._deliver, self.counters)
        loop.call_soon(self._relay.start)
        loop.run_forever()

    # Listening: the event loop ----------------------------------------------------------------------------------------

    def subscribe(self, topic: str, listener: Listener) -> None:
        self._listeners.setdefault(topic, {})[listener] = None

    def unsubscribe(self, topic: str, listener: Listener) -> None:
        listeners = self._listeners.get(topic)
        if listeners is not None:
            listeners.pop(listener, None)
            if not listeners:
                del self._listeners[topic]

    async def wait(self, topics: Iterable[str], timeout: float) -> bool:  # noqa: ASYNC109 - the edge's contract
        """Until something is announced on one of the topics (whispers do not count), or the seconds have passed: whether it was.

        Listens before it first suspends, so that a caller who looks after starting this misses nothing.
        """
        heard = asyncio.get_running_loop().create_future()

        def listener(_topic: str, payload: Payload) -> None:
            if payload["kind"] != "whisper" and not heard.done():
                heard.set_result(None)

        wanted = list(topics)
        for topic in wanted:
            self.subscribe(topic, listener)
        try:
            async with asyncio.timeout(timeout):
                await heard
        except TimeoutError:
            return False
        finally:
            for topic in wanted:
                self.unsubscribe(topic, listener)
        return True
