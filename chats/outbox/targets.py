"""Whose turn it is in this process (no database, no threads): what may be called for each web hook, and how many calls at once.

A target takes WIDTH calls at once as long as somebody answers, whatever the answer. Each call that nobody answers takes two away, each
answer gives one back: a receiver that hangs ends with one thread, and twenty of them still leave room for the others.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

WIDTH = 8  # calls under way at one web hook


@dataclass(slots=True)
class Target:
    """numbers: deliveries that may perhaps be made, in this order. is_stale: there may be more."""

    numbers: dict[int, None] = field(default_factory=dict)
    is_stale: bool = False
    under_way: int = 0
    width: int = WIDTH

    @property
    def room(self) -> int:
        return max(self.width - self.under_way, 0)

    @property
    def is_waiting(self) -> bool:
        return self.room > 0 and (self.is_stale or bool(self.numbers))

    @property
    def is_forgettable(self) -> bool:
        return not (self.numbers or self.is_stale or self.under_way) and self.width == WIDTH

    def take(self, most: int) -> list[int]:
        taken = list(self.numbers)[:most]
        for number in taken:
            del self.numbers[number]
        return taken


Scan = Callable[[UUID], tuple[list[int], bool]]  # numbers, and whether there may be more


class Targets:
    """All of one process. Whoever was served goes to the end of the line."""

    def __init__(self, most: int) -> None:
        self.most = most  # calls under way in all
        self.under_way = 0
        self._targets: OrderedDict[UUID, Target] = OrderedDict()

    @property
    def is_waiting(self) -> bool:
        """Whether somebody could be served now."""
        return self.under_way < self.most and any(target.is_waiting for target in self._targets.values())

    def look(self, webhook_ids: Iterable[UUID]) -> None:
        """There may be something new for these."""
        for webhook_id in webhook_ids:
            self._target(webhook_id).is_stale = True

    def add(self, webhook_id: UUID, number: int) -> None:
        """This one may be made now."""
        self._target(webhook_id).numbers[number] = None

    def doubt(self) -> None:
        """What was known may be wrong: the database was away."""
        self.look(list(self._targets))

    def serve(self, scan: Scan) -> list[int]:
        """The numbers that are to be claimed now, within everybody's room. Asks `scan` for those who may have more than is known."""
        served: list[int] = []
        for webhook_id, target in list(self._targets.items()):
            room = min(target.room, self.most - self.under_way - len(served))
            if room <= 0 or not target.is_waiting:
                continue
            if target.is_stale and len(target.numbers) < room:
                found, target.is_stale = scan(webhook_id)
                target.numbers.update(dict.fromkeys(found))
            served += target.take(room)
            self._targets.move_to_end(webhook_id)
        return served

    def begin(self, webhook_id: UUID) -> None:
        self._target(webhook_id).under_way += 1
        self.under_way += 1

    def end(self, webhook_id: UUID, *, was_answered: bool) -> None:
        target = self._target(webhook_id)
        target.under_way -= 1
        self.under_way -= 1
        target.width = min(target.width + 1, WIDTH) if was_answered else max(target.width - 2, 1)

    def forget_idle(self) -> None:
        for webhook_id in [key for key, target in self._targets.items() if target.is_forgettable]:
            del self._targets[webhook_id]

    def _target(self, webhook_id: UUID) -> Target:
        return self._targets.setdefault(webhook_id, Target())
