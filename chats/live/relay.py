"""To and from the other processes, through the channel layer: one group, what one turn of the loop announces in one message.

Who listens gives a sign of life each second. While nobody else does, there is nobody to tell: a server that is alone sends nothing but its signs.

Redis may be away, slow or forgetful at any moment. Then announcements are dropped after a moment, and readers heal by the log.
"""

import asyncio
import contextlib
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import msgpack  # type: ignore[import-untyped]
import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)

GROUP = "live"
AT_ONCE = 256
WAITING = 5_000
SEND_SECONDS = 1.0
REST_SECONDS = 1.0  # between two tries while the layer is in trouble
SIGN_SECONDS = 1.0
ALONE_SECONDS = 3.5  # without a sign of anybody else
SIGN: tuple[str, dict[str, Any]] = ("", {})  # an announcement that nobody listens to


class Relay:
    """One per process, in one event loop."""

    def __init__(self, deliver: Callable[[str, dict[str, Any]], None], counters: Counter[str]) -> None:
        self.deliver = deliver
        self.counters = counters
        self.id = uuid.uuid4().hex
        self.waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self.news = asyncio.Event()
        self.is_ready = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.was_well = True
        self.receives = False
        self.heard_us_at = self.heard_others_at = 0.0

    def start(self, *, receives: bool = False) -> None:
        loop = asyncio.get_event_loop()
        self.receives = receives
        self.tasks = [loop.create_task(self._send())]
        if receives:
            self.heard_others_at = loop.time()
            self.tasks += [loop.create_task(self._receive()), loop.create_task(self._give_signs())]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(SEND_SECONDS):
                await get_channel_layer().flush()

    def push(self, items: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Hand over for sending; drops what is too much, and what nobody would hear."""
        if self.is_alone():
            return
        room = WAITING - len(self.waiting)
        if room < len(items):
            self.counters["dropped"] += len(items) - max(room, 0)
        self.waiting.extend(items[: max(room, 0)])
        self.news.set()

    def is_alone(self) -> bool:
        """Whether we hear ourselves and nobody else. Who does not even hear itself knows nothing of others."""
        if not self.receives:
            return False
        since = asyncio.get_event_loop().time() - ALONE_SECONDS
        return self.heard_us_at > since > self.heard_others_at

    async def _give_signs(self) -> None:
        """The first one as soon as we listen: whoever was alone until now begins to tell us."""
        while True:
            await self.is_ready.wait()
            self.waiting.append(SIGN)
            self.news.set()
            await asyncio.sleep(SIGN_SECONDS)

    async def _send(self) -> None:
        layer = get_channel_layer()
        while True:
            await self.news.wait()
            self.news.clear()
            while self.waiting:
                batch = [self.waiting.popleft() for _ in range(min(AT_ONCE, len(self.waiting)))]
                try:
                    # Packed apart: our own come back to us, too, and are not worth reading.
                    packed = msgpack.packb(batch)
                    async with asyncio.timeout(SEND_SECONDS):
                        said = {"type": "live", "from": self.id, "listens": self.receives, "items": packed}
                        await layer.group_send(GROUP, said)
                    self.was_well = True
                except Exception as error:  # noqa: BLE001 - whatever the layer's trouble is, nobody may wait for it
                    self.counters["dropped"] += len(batch) + len(self.waiting)
                    self.waiting.clear()
                    self._tell("cannot announce to other processes", error)
                    await asyncio.sleep(REST_SECONDS)

    async def _receive(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                self.is_ready.set()
                while True:
                    message = await layer.receive(channel)
                    self._hear(message)
            except Exception as error:  # noqa: BLE001 - as above
                self._tell("cannot hear other processes", error)
                with contextlib.suppress(Exception):
                    # The layer keeps half-made subscriptions of a failed try.
                    async with asyncio.timeout(SEND_SECONDS):
                        await layer.flush()
                await asyncio.sleep(REST_SECONDS)

    def _hear(self, message: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        if message["from"] == self.id:
            self.heard_us_at = now
            return
        if message.get("listens", True):
            self.heard_others_at = now
        items = [(topic, payload) for topic, payload in msgpack.unpackb(message["items"]) if topic]
        self.counters["relayed"] += len(items)
        for topic, payload in items:
            self.deliver(topic, payload)

    def _tell(self, words: str, error: Exception) -> None:
        """Once per trouble, not once per message."""
        if self.was_well:
            log.warning(words, error=type(error).__name__)
        self.was_well = False
