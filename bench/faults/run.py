"""One run: start all, let everybody talk while the nemesis is at work, heal, wait until all is quiet, and check."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chats.play.seats import Seat

from .agents import RestAgent, SocketAgent
from .checker import check
from .customers import Queue, RestCustomer, SocketCustomer
from .database import Database, Errors
from .embedded import Embedded
from .facts import Facts, Violation
from .foreign import ComapiCustomer, GenesysCustomer, HyperCustomer
from .history import History, acknowledgements, longest_outage, pace, percentile, reconnections
from .mailbox import Mailbox
from .nemesis import Nemesis
from .outages import OF_REDIS, answered_within, windows
from .plan import make_plan
from .probe import LATE, Probe
from .receiver import Receiver
from .recording import LEAKS, Place
from .services import Services

CAST = {  # center → how many of each
    "acme": {SocketCustomer: 5, RestCustomer: 2, GenesysCustomer: 1, ComapiCustomer: 1, HyperCustomer: 1},
    "globex": {SocketCustomer: 2, RestCustomer: 1},
}
REST_AGENTS = 1  # the last seat of the first center
FLAKY_AGENTS = 1  # its first one
AFTERWARDS = 8.0  # seconds for which new customers still come when all is healed
SETTLE_SECONDS = (
    60.0  # within which the last chat has ended and is read: the rules close those that were left after 25 s
)
BRISK = 0.25  # seconds to an acknowledgement (median). Where it takes longer, the machine is busy with other things, and all that is measured in seconds may take as much longer
CALLS_SECONDS = 120.0  # a killed caller's lease is 30 s, and what failed three times waits


@dataclass
class Outcome:
    summary: dict[str, Any]
    violations: list[Violation]


class Run:
    """`folder`: for logs and the history."""

    def __init__(self, folder: Path, *, seconds: float, seed: int, is_embedded: bool, patience: float) -> None:
        self.folder, self.seconds, self.seed, self.patience = folder, seconds, seed, patience
        self.book = History(folder / "history.jsonl")
        self.receiver = Receiver(seed)
        self.mailbox = Mailbox(seed)
        hooks = {slug: self.receiver.url(slug) for slug in CAST}
        self.system: Any = (Embedded if is_embedded else Services)(folder, hooks, self.mailbox.url)
        self.queues: list[Queue] = []
        self.agents: list[Any] = []

    async def go(self) -> Outcome:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
        tasks: list[asyncio.Task[Any]] = []
        try:
            cast = await self.system.begin()
            self.receiver.secrets = {slug: center["signing"] for slug, center in cast.items()}
            self._hire(cast)
            probe = Probe(Database(self.system.probe_url))
            probe.start()
            agents = [asyncio.ensure_future(agent.run()) for agent in self.agents]
            customers = [asyncio.ensure_future(queue.run()) for queue in self.queues]
            tasks = [*agents, *customers]
            return await self._act(probe, customers, agents)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self.system.end)
            for wire in self.system.wires.values():
                wire.close()
            self.receiver.close()
            self.mailbox.close()
            self.book.close()

    async def _act(
        self, probe: Probe, customers: list[asyncio.Task[None]], agents: list[asyncio.Task[None]]
    ) -> Outcome:
        nemesis = Nemesis(self.system, self.book)
        began = time.monotonic()
        await nemesis.run(make_plan(self.seed, self.seconds, self.system.menu))
        self.receiver.is_failing = self.mailbox.is_busy = False
        healed = time.monotonic()
        for agent in self.agents:
            agent.steady.set()
        probe.is_healed = True
        await asyncio.sleep(AFTERWARDS)
        for queue in self.queues:
            queue.is_stopping = True
        await asyncio.wait(customers, timeout=SETTLE_SECONDS * self._slowness())
        settled = round(time.monotonic() - healed, 1)
        await self._until(lambda: probe.pending() == 0, CALLS_SECONDS * self._slowness())
        await asyncio.sleep(1)
        await asyncio.to_thread(probe.stop)
        slowness = self._slowness(healed - self.book.began)
        facts = await asyncio.to_thread(probe.facts, LATE * slowness)
        facts.calls, facts.mails = list(self.receiver.calls), list(self.mailbox.mails)
        facts.skewed, facts.began = nemesis.skewed, self.book.began_at
        violations = check(self.book.entries, facts, patience=self.patience * slowness, late=LATE * slowness)
        violations += self._unended(customers)
        violations += [Violation("I28", f"an agent gave up: {one.exception()!r}") for one in agents if one.done()]
        summary = self._summary(facts, nemesis.counts, violations) | self._times(facts)
        summary |= {"slowness": round(slowness, 2), "looks": probe.looks}
        summary |= {"stubborn": sorted(nemesis.stubborn), "restarted": sorted(self.system.restarted)}
        summary |= {"settled": settled, "seconds": round(time.monotonic() - began, 1)}
        return Outcome(summary, violations)

    def _slowness(self, since: float = 0.0) -> float:
        """How many times longer than on a machine that has nothing else to do things may take, by what was sent after `since` and by all."""
        return max(1.0, pace(self.book.entries, since) / BRISK, pace(self.book.entries) / BRISK)

    def _unended(self, customers: list[asyncio.Task[None]]) -> list[Violation]:
        found = [Violation("I10", f"{one.get_coro()} did not end") for one in customers if not one.done()]
        found += [Violation("I0", f"{name} ended by itself") for name in self.system.ended()]
        if not any(one["type"] == "ok" and one["f"] == "post" for one in self.book.entries):
            found.append(Violation("I0", "nothing was acknowledged, so nothing is proven"))
        return found

    def _hire(self, cast: dict[str, Any]) -> None:
        for slug, center in cast.items():
            others = tuple(other["mark"] for other in cast.values() if other is not center)
            seats = [Seat(**seat) for seat in center["seats"]]
            rest = REST_AGENTS if slug == "acme" else 0
            flaky = FLAKY_AGENTS if slug == "acme" else 0
            for number, seat in enumerate(seats):
                kind = RestAgent if number >= len(seats) - rest else SocketAgent
                agent: Any = kind(self._place(center, others, seat.username), seat)
                agent.is_flaky = number < flaky
                self.agents.append(agent)
            for kind_of, count in CAST[slug].items():
                for number in range(1, count + 1):
                    name = f"{slug}-{kind_of.__name__.lower()}-{number}"
                    self.queues.append(Queue(kind_of, self._place(center, (*others, LEAKS), name), name))

    def _place(self, center: dict[str, Any], strange: tuple[str, ...], name: str) -> Place:
        return Place(self.book, self.system.doors, center, strange, random.Random(f"{self.seed} {name}"))

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if await asyncio.to_thread(is_so):
                    return
            except Errors:
                pass
            await asyncio.sleep(0.5)

    def _summary(self, facts: Facts, faults: Counter[str], violations: list[Violation]) -> dict[str, Any]:
        entries = self.book.entries
        acted = [one for one in entries if one["process"] != "nemesis"]
        seen = [len(one["value"]["numbers"]) for one in acted if one["f"] == "events"]
        return {
            "operations": sum(one["type"] == "invoke" for one in acted),
            "acknowledged": sum(one["type"] == "ok" for one in acted),
            "unknown": sum(one["type"] == "info" for one in acted),
            "refused": sum(one["type"] == "fail" for one in acted),
            "deliveries": sum(seen) + sum(call["is_taken"] for call in facts.calls),
            "calls": len(facts.calls),
            "chats": len(facts.chats),
            "events": len(facts.events),
            "faults": dict(sorted(faults.items())),
            "violations": dict(sorted(Counter(one.invariant for one in violations).items())),
            "seed": self.seed,
        }

    def _times(self, facts: Facts) -> dict[str, Any]:
        """Seconds and milliseconds of what users feel. They are of this machine, with the faults and all that it did beside them."""
        entries = self.book.entries
        acks, again = acknowledgements(entries), reconnections(entries)
        without = answered_within(entries, windows(entries, OF_REDIS, "redis"))
        return {
            "ack_ms": {"p50": round(percentile(acks, 0.5) * 1000), "p99": round(percentile(acks, 0.99) * 1000)},
            "reconnects": {"count": len(again), "p50_s": percentile(again, 0.5), "p99_s": percentile(again, 0.99)},
            "longest_outage_s": round(longest_outage(entries), 1),
            "longest_wait_s": max(facts.waited.values(), default=0.0),
            "acknowledged_without_redis": sum(1 for _ in without),
            "mails": len(facts.mails),
        }
