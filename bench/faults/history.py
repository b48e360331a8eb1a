"""What everybody did and saw, as it happened: one JSON line each, {t, process, type, f, value}.

type    invoke, then ok (acknowledged), fail (refused) or info (nobody knows: the answer did not come); seen: what came without being asked for
f       start, post, … of the protocol; of seen: cursor (where a reader begins anew), events, leak (something that it must never see), head
value   of start and post {chat, text, client_id} and, when acknowledged, {index, position, replayed};
        of cursor {chat, kind, after}, of events {chat, kind, numbers}: kind is index for customers and position for staff
"""

import json
import statistics
import time
from pathlib import Path
from typing import Any, TextIO

Entry = dict[str, Any]


class History:
    """Kept in memory for the checker, and in a file for people."""

    def __init__(self, file: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.began, self.began_at = time.monotonic(), time.time()
        self._stream: TextIO | None = file.open("w") if file else None

    def note(self, process: str, kind: str, f: str, value: Any) -> None:
        entry = {"t": round(time.monotonic() - self.began, 4), "process": process, "type": kind, "f": f, "value": value}
        self.entries.append(entry)
        if self._stream:
            self._stream.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def close(self) -> None:
        if self._stream:
            self._stream.close()


def pace(entries: list[Entry], since: float = 0.0) -> float:
    """Seconds from a message to its acknowledgement, the median of those sent after `since`; 0 when there are none."""
    took = acknowledgements(entries, since)
    return statistics.median(took) if took else 0.0


def acknowledgements(entries: list[Entry], since: float = 0.0) -> list[float]:
    """Seconds from each message to its acknowledgement, over all of its tries."""
    sent: dict[tuple[str, str], float] = {}
    took = []
    for one in entries:
        if one["f"] != "post" or one["t"] < since:
            continue
        key = one["process"], one["value"].get("text", "")
        if one["type"] == "invoke":
            sent.setdefault(key, one["t"])
        elif one["type"] == "ok" and key in sent:
            took.append(one["t"] - sent.pop(key))
    return took


def reconnections(entries: list[Entry]) -> list[float]:
    """Seconds for which each socket was without a connection, each time."""
    return [one["value"]["seconds"] for one in entries if one["type"] == "seen" and one["f"] == "connected"]


def longest_outage(entries: list[Entry]) -> float:
    """The longest time in which nobody's message was acknowledged, though somebody had sent one."""
    waiting_since: float | None = None
    longest = 0.0
    for one in entries:
        if one["f"] != "post" or one["type"] not in ("invoke", "ok"):
            continue
        if one["type"] == "ok":
            longest = max(longest, one["t"] - waiting_since) if waiting_since is not None else longest
            waiting_since = None
        elif waiting_since is None:
            waiting_since = one["t"]
    return longest


def percentile(numbers: list[float], part: float) -> float:
    """The number that this part of them (0.5, 0.99) does not exceed; 0 of none."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
