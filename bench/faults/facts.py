"""What a run is judged by: rows, calls and mails, and the words for what is wrong."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .history import Entry

Row = dict[str, Any]
BYE = "bye"  # the one text that many chats have


@dataclass
class Facts:
    """What the database and the receivers say. Moments are seconds since 1970, but for those of the history; `began` is its beginning, `read` when the database was read.

    events: {chat_id, position, index, type, sender_kind, text, client_id, center, at, agent, invitation}, each chat's in order
    chats: {chat_id, position, index, state, team_id, is_steered} · overfull: {agent_id, used, capacity} · waited: slot → seconds
    late: what should be done by now · drifted: counters that are not what a recount says · skewed: (from, until) when a clock was wrong
    calls: {hook, id, chat, position, is_taken, is_signed, center}, in the order of arrival
    mails: {to, texts} as they arrived · requests: {email, chat_id, is_sent} of transcripts
    """

    events: list[Row] = field(default_factory=list)
    chats: list[Row] = field(default_factory=list)
    overfull: list[Row] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)
    skewed: list[tuple[float, float]] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    mails: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    began: float = 0.0
    read: float = float("inf")


@dataclass(frozen=True)
class Violation:
    invariant: str
    what: str


Found = Iterator[str]


class Log:
    """The messages of the log by their text, which is unique but for bye."""

    def __init__(self, facts: Facts) -> None:
        self.chats: dict[str, list[Row]] = defaultdict(list)
        self.by_text: dict[str, list[Row]] = defaultdict(list)
        for event in facts.events:
            self.chats[event["chat_id"]].append(event)
            if event["type"] in ("message.posted", "note.posted") and event["sender_kind"] != "system":
                self.by_text[event["text"]].append(event)

    def stored(self, said: Row) -> list[Row]:
        """The rows of what was said; bye only in its own chat."""
        rows = self.by_text.get(said["text"], [])
        return [row for row in rows if row["chat_id"] == said.get("chat")] if said["text"] == BYE else rows


def said(history: Sequence[Entry], *kinds: str) -> list[Entry]:
    """Messages that were sent, in one of these states."""
    return [one for one in history if one["type"] in kinds and one["f"] in ("start", "post") and "text" in one["value"]]


def seen(history: Sequence[Entry], *names: str) -> list[Entry]:
    """What came without being asked for."""
    return [one for one in history if one["type"] == "seen" and one["f"] in names]
