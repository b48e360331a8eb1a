"""Figures about chats. Reads only."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean, median, quantiles
from typing import Any

from django.db.models import QuerySet

from .models import Chat
from .shapes import stamp

MOST_CHATS = 100_000  # read for one report

_FIELDS = ("started_at", "closed_at", "close_reason", "first_accepted_at", "first_answered_at", "rating")
_TEAM = ("team_id", "team__key", "team__name", "team__target_seconds")


@dataclass
class Tally:
    """What is counted of one team's chats, or of all. Times in seconds."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    waits: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    ratings: list[int] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        self.counts["started"] += 1
        if row["first_accepted_at"]:
            self.counts["accepted"] += 1
            self.waits.append(_seconds(row, "first_accepted_at"))
        if row["first_answered_at"]:
            took = _seconds(row, "first_answered_at")
            self.answers.append(took)
            self.counts["within_target"] += took <= row["team__target_seconds"]
        if row["closed_at"]:
            self.counts["closed"] += 1
            self.counts["unanswered"] += not row["first_accepted_at"]
            self.durations.append(_seconds(row, "closed_at"))
        if row["rating"]:
            self.ratings.append(row["rating"])

    def shape(self) -> dict[str, Any]:
        names = ("started", "closed", "accepted", "unanswered", "within_target")
        return {name: self.counts[name] for name in names} | {
            "wait": _spread(self.waits),
            "first_answer": _spread(self.answers),
            "duration": _spread(self.durations),
            "ratings": len(self.ratings),
            "rating": round(fmean(self.ratings), 2) if self.ratings else None,
        }


def summary(chats: "QuerySet[Chat]", *, since: datetime, until: datetime) -> dict[str, Any]:
    """{since, until, all, teams}: figures of the given chats that started in [since, until)."""
    started = chats.filter(started_at__gte=since, started_at__lt=until)
    total = Tally()
    teams: dict[Any, tuple[dict[str, str], Tally]] = {}
    for row in _rows(started):
        named = {"id": str(row["team_id"]), "key": row["team__key"], "name": row["team__name"]}
        _team, tally = teams.setdefault(row["team_id"], (named, Tally()))
        tally.add(row)
        total.add(row)
    shown = [{"team": named, **tally.shape()} for named, tally in teams.values()]
    shown.sort(key=lambda one: one["team"]["name"])
    return {"since": stamp(since), "until": stamp(until), "all": total.shape(), "teams": shown}


def _rows(chats: "QuerySet[Chat]") -> Iterable[dict[str, Any]]:
    return chats.order_by("-started_at").values(*_FIELDS, *_TEAM)[:MOST_CHATS].iterator(chunk_size=2000)


def _seconds(row: dict[str, Any], name: str) -> float:
    return float((row[name] - row["started_at"]).total_seconds())


def _spread(seconds: list[float]) -> dict[str, float | None]:
    """Average, median and 90th percentile; None of nothing."""
    if not seconds:
        return {"average_seconds": None, "median_seconds": None, "p90_seconds": None}
    p90 = quantiles(seconds, n=10, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return {
        "average_seconds": round(fmean(seconds), 1),
        "median_seconds": round(median(seconds), 1),
        "p90_seconds": round(p90, 1),
    }
