"""Brings about the faults of a plan, each for its time, and heals them."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .history import History
from .plan import Fault

DELAY = 0.15  # seconds, of each piece in each direction


class Nemesis:
    """`system`: Services or Embedded. `counts`: faults that took place, by kind; `skewed`: (from, until) when a clock was wrong, seconds since 1970; `stubborn`: who did not end when it was asked to."""

    def __init__(self, system: Any, book: History) -> None:
        self.system, self.book = system, book
        self.counts: Counter[str] = Counter()
        self.skewed: list[tuple[float, float]] = []
        self.stubborn: list[str] = []
        self._targets: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._acts: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "kill": self._kill,
            "crash": self._kill,
            "empty": self._kill,
            "term": self._term,
            "pause": self._pause,
            "clock": self._clock,
            "read_only": self._read_only,
            "full_disk": self._full_disk,
            "cut": self._cut,
            "half_open": lambda fault: self._mode(fault, "swallow"),
            "stall": lambda fault: self._mode(fault, "stall"),
            "tear": lambda fault: self._mode(fault, "tear"),
            "refuse": self._refuse,
            "delay": self._delay,
        }

    async def run(self, plan: Sequence[Fault]) -> None:
        """Returns when the last fault is healed."""
        await asyncio.gather(*(self._one(fault) for fault in plan))
        await asyncio.to_thread(self.system.tend)
        await asyncio.to_thread(self.system.wait_healed)

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        async with self._targets[fault.target]:  # what was done to it before may have taken longer than it should
            value = {"target": fault.target, "seconds": fault.seconds, "wrong": fault.wrong}
            await asyncio.to_thread(self.system.tend)
            self.book.note("nemesis", "invoke", fault.kind, value)
            self.counts[fault.kind] += 1
            await self._acts[fault.kind](fault)
            self.book.note("nemesis", "ok", fault.kind, value)

    async def _last(self, fault: Fault) -> None:
        """The fault has come about; its time goes by."""
        value = {"kind": fault.kind, "target": fault.target}
        self.book.note("nemesis", "seen", "broken", value)
        await asyncio.sleep(fault.seconds)
        self.book.note("nemesis", "seen", "mending", value)

    async def _kill(self, fault: Fault) -> None:
        await asyncio.to_thread(self.system.kill, fault.target)
        await self._last(fault)
        await asyncio.to_thread(self.system.start_again, fault.target)

    async def _term(self, fault: Fault) -> None:
        if not await asyncio.to_thread(self.system.terminate, fault.target):
            self.stubborn.append(fault.target)
        await self._last(fault)
        await asyncio.to_thread(self.system.start_again, fault.target)

    async def _pause(self, fault: Fault) -> None:
        await asyncio.to_thread(self.system.pause, fault.target)
        await self._last(fault)
        await asyncio.to_thread(self.system.resume, fault.target)

    async def _clock(self, fault: Fault) -> None:
        since = time.time()
        self.system.clocks.set(fault.target, fault.wrong)
        await self._last(fault)
        self.system.clocks.set(fault.target, 0.0)
        await asyncio.sleep(abs(fault.wrong))  # until what it has set for its now is due for everybody
        self.skewed.append((since, time.time()))

    async def _read_only(self, fault: Fault) -> None:
        await asyncio.to_thread(lambda: self.system.set_read_only(is_read_only=True))
        await self._last(fault)
        await asyncio.to_thread(lambda: self.system.set_read_only(is_read_only=False))

    async def _full_disk(self, fault: Fault) -> None:
        await asyncio.to_thread(self.system.fill_disk)
        await self._last(fault)
        await asyncio.to_thread(self.system.free_disk)

    async def _cut(self, fault: Fault) -> None:
        self.system.wires[fault.target].cut()

    async def _mode(self, fault: Fault, mode: str) -> None:
        self.system.wires[fault.target].set(mode)
        await self._last(fault)
        self.system.wires[fault.target].set("pass")

    async def _refuse(self, fault: Fault) -> None:
        wire = self.system.wires[fault.target]
        wire.set("refuse")
        wire.cut()
        await self._last(fault)
        wire.set("pass")

    async def _delay(self, fault: Fault) -> None:
        self.system.wires[fault.target].delay = DELAY
        await asyncio.sleep(fault.seconds)
        self.system.wires[fault.target].delay = 0.0
