"""What the robot customers saw, counted."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """Counts and times (seconds) of all robot customers."""

    wanted: int = 0
    started: int = 0
    closed: int = 0
    sent: int = 0
    acknowledged: int = 0
    echoed: int = 0
    missing: int = 0
    doubled: int = 0
    out_of_order: int = 0
    gaps: int = 0
    refused: int = 0
    reconnects: int = 0
    waits: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    screens: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Everything arrived, once, in order, and every chat came to its end."""
        faults = self.missing + self.doubled + self.out_of_order + self.gaps + self.refused
        return faults == 0 and self.closed == self.wanted

    def summary(self) -> dict[str, Any]:
        """One JSON object. `to_screen_ms`: half of the way customer → agent → customer; waits in seconds."""
        return {
            "chats": {"wanted": self.wanted, "started": self.started, "closed": self.closed},
            "messages": {"sent": self.sent, "acknowledged": self.acknowledged, "echoed": self.echoed},
            "faults": {
                "missing": self.missing,
                "doubled": self.doubled,
                "out_of_order": self.out_of_order,
                "gaps": self.gaps,
                "refused": self.refused,
            },
            "reconnects": self.reconnects,
            "wait_s": percentiles(self.waits, 1),
            "ack_ms": percentiles(self.acks, 1000),
            "to_screen_ms": percentiles(self.screens, 1000),
            "clean": self.is_clean,
        }

    def words(self) -> str:
        """The same for people."""
        found = self.summary()
        chats, messages, faults = found["chats"], found["messages"], found["faults"]
        rows = [
            f"chats     {chats['closed']} of {chats['wanted']} came to their end",
            f"messages  {messages['sent']} sent, {messages['acknowledged']} acknowledged, {messages['echoed']} echoed",
            "faults    " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in faults.items()),
            f"network   {found['reconnects']} reconnects",
        ]
        names = {
            "wait_s": ("wait", "s"),
            "ack_ms": ("send to ack", "ms"),
            "to_screen_ms": ("send to the other screen", "ms"),
        }
        for key, (name, unit) in names.items():
            if found[key]:
                shown = "  ".join(f"{level} {value:g} {unit}" for level, value in found[key].items())
                rows.append(f"{name}: {shown}")
        return "\n".join(rows)


def percentiles(times: Sequence[float], factor: float) -> dict[str, float] | None:
    """p50, p90, p99 and max, times `factor`, to three digits; None where nothing was measured."""
    if not times:
        return None
    if len(times) == 1:
        return dict.fromkeys(("p50", "p90", "p99", "max"), round(times[0] * factor, 3))
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    levels = {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "max": max(times)}
    return {name: round(value * factor, 3) for name, value in levels.items()}
