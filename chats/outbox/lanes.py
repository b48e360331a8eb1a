"""Which errands may be done now. Those for one target about one chat are a lane: only its oldest may go, the others wait behind it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet

from chats.models.errand import Errand

from .sending import SECONDS

SCANNED = 200  # errands found at once
# Whoever claimed an errand and is not heard of for so long has died: another does the same one again.
LEASE = timedelta(seconds=SECONDS + 20)

Row = TypeVar("Row", bound=Errand)


@dataclass(frozen=True)
class Lanes(Generic[Row]):
    """live: the targets for which anything is done; loaded: what comes with a row that is claimed."""

    model: type[Row]
    live: "Callable[[], QuerySet[Any]]"
    loaded: tuple[str, ...]

    @property
    def _all(self) -> Any:
        return self.model._default_manager

    def due_targets(self, now: datetime) -> list[UUID]:
        """Live targets for which something is due, even if it may wait behind another errand."""
        due = self._all.due(now).order_by().values(f"{self.model.target}_id")
        return list(self.live().filter(pk__in=due).order_by().values_list("pk", flat=True))

    def scan(self, target_id: UUID, now: datetime) -> list[int]:
        """Numbers of errands that may be done now, the longest due first; at most SCANNED.

        The oldest of each lane comes from one walk along the index: asking of each errand whether an older one waits would take for ever when a
        receiver was away for a day.
        """
        own = {f"{self.model.target}_id": target_id}
        pending = self._all.pending().filter(**own)
        lanes = pending.exclude(chat=None).order_by().values("chat").annotate(oldest=Min("number")).values("oldest")
        free = self._all.due(now).free(now).order_by("due_at", "number")
        found = [
            *free.filter(number__in=lanes).values_list("due_at", "number")[:SCANNED],
            *free.filter(chat=None, **own).values_list("due_at", "number")[:SCANNED],
        ]
        return [number for _, number in sorted(found)[:SCANNED]]

    @transaction.atomic
    def claim(self, numbers: Collection[int], now: datetime) -> list[Row]:
        """Take those of these errands that may (still) be done, for LEASE: nobody else does them meanwhile."""
        mine = (
            self._all.heads(now)
            .filter(number__in=numbers, **{f"{self.model.target}__in": self.live()})
            .select_related(*self.loaded)
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
        )
        claimed: list[Row] = list(mine)
        until = now + LEASE
        self._all.filter(number__in=[row.number for row in claimed]).update(leased_until=until)
        for row in claimed:
            row.leased_until = until
        return claimed

    def next_due(self, target_id: UUID, now: datetime) -> tuple[int, datetime] | None:
        """(number, moment) of what is the next to be due because it waits for others: nothing does, unless a target wants several at once."""
        return None

    def following(self, settled: Sequence[Row]) -> list[tuple[UUID, int | None]]:
        """(target, number) of what comes next in the lanes of these errands; without a number where one has to look."""
        lanes = {(row.target_id, row.chat_id) for row in settled if row.chat_id}  # type: ignore[attr-defined]
        if not lanes:
            return []
        target = f"{self.model.target}_id"
        own = {f"{target}__in": {one for one, _ in lanes}}
        rows = (
            self._all.pending()
            .filter(chat_id__in={chat for _, chat in lanes}, **own)
            .order_by()
            .values_list(target, "chat_id")
            .annotate(oldest=Min("number"))
        )
        return [(one, number) for one, chat, number in rows if (one, chat) in lanes]
