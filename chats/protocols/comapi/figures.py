"""What happened in chats, counted out of their logs. Reads only: three queries, however many chats.

Each chat's log is walked from its beginning, so that what happened in the asked span is told apart as it was then: whose the chat was, and
whether the customer waited for an answer. Our side's messages are those of agents and programs; what was sent automatically counts for nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from chats.errors import Invalid
from chats.events import AgentJoined, AgentLeft, ChatClosed, ChatReopened, ChatStarted, ChatTransferred, MessagePosted
from chats.models import Event, Participant

from .periods import Periods
from .shapes import CLOSED, NEW, REPLIED

MOST_EVENTS = 300_000  # read for one answer
CUSTOMER = Participant.Kind.CUSTOMER
TYPES = [
    kind.type
    for kind in (ChatStarted, MessagePosted, ChatClosed, ChatReopened, ChatTransferred, AgentJoined, AgentLeft)
]
COLUMNS = (
    "chat_id", "type", "at", "sender_kind", "sender__agent_id", "client_id", "data__facts__isAutomatedSend",
    "data__team", "data__agent", "data__guest", "chat__team_id",
)  # fmt: skip


@dataclass
class Figures:
    """Times are the sums of all that were counted beside them, in seconds."""

    inbounds: int = 0
    outbounds: int = 0
    responses: int = 0
    timeToRespondSeconds: float = 0
    initialResponses: int = 0
    timeToInitialResponseSeconds: float = 0
    closed: int = 0
    timeToCloseSeconds: float = 0
    transitionsToNew: int = 0
    transitionsToReplied: int = 0

    def shape(self) -> dict[str, int]:
        return {field.name: round(getattr(self, field.name)) for field in fields(self)}


Key = tuple[int, UUID | None, str | None]  # number of the period, team, agent


@dataclass(frozen=True)
class Row:
    """One event of a log, as COLUMNS has it."""

    chat_id: UUID
    type: str
    at: datetime
    sender_kind: str
    sender_agent: UUID | None
    client_id: str | None
    is_automated: bool | None
    team: str | None
    agent: str | None
    is_guest: bool | None
    present_team: UUID

    @property
    def is_ours(self) -> bool:
        """An agent's or a program's words: the house's own (greeting, closing words) have no client that sent them."""
        if self.sender_kind == CUSTOMER or self.is_automated is True:
            return False
        return self.sender_agent is not None or self.client_id is not None


def count(chats: Any, periods: Periods, team_names: dict[str, UUID]) -> dict[Key, Figures]:
    """What happened in these chats. `team_names`: of all teams of the center, by name. Raises Invalid for too much."""
    found: dict[Key, Figures] = {}
    for _chat, rows in groupby(_rows(chats, periods), key=lambda row: row.chat_id):
        Walk(found, periods, team_names).take(list(rows))
    return found


def _rows(chats: Any, periods: Periods) -> Iterable[Row]:
    touched = chats.filter(started_at__lt=periods.until).exclude(closed_at__lt=periods.since)
    events = Event.objects.filter(chat__in=touched.order_by().values("pk"), type__in=TYPES, at__lt=periods.until)
    rows = events.order_by("chat_id", "position").values_list(*COLUMNS)[: MOST_EVENTS + 1]
    for number, row in enumerate(rows.iterator(chunk_size=2000)):
        if number == MOST_EVENTS:
            raise Invalid(fields={"from": "Too much happened since. Choose a shorter span."})
        yield Row(*row)


class Walk:
    """Through the log of one chat."""

    def __init__(self, found: dict[Key, Figures], periods: Periods, team_names: dict[str, UUID]) -> None:
        self.found, self.periods, self.team_names = found, periods, team_names
        self.status = CLOSED
        self.agent: str | None = None
        self.waiting_since: datetime | None = None  # the customer, for an answer
        self.is_answered = False

    def take(self, rows: list[Row]) -> None:
        self.started_at = rows[0].at
        self.team: UUID | None = self._first_team(rows)
        for row in rows:
            match row.type:
                case ChatStarted.type | ChatReopened.type:
                    self._become(NEW, row)
                case ChatTransferred.type:
                    self.team, self.agent = _as_id(row.team), None
                case AgentJoined.type if not row.is_guest:
                    self.agent = row.agent
                case AgentLeft.type if not row.is_guest and row.agent == self.agent:
                    self.agent = None
                case MessagePosted.type if row.sender_kind == CUSTOMER:
                    self._asked(row)
                case MessagePosted.type if row.is_ours:
                    self._answered(row)
                case ChatClosed.type:
                    self._closed(row)

    def _asked(self, row: Row) -> None:
        self._at(row).inbounds += 1
        self.waiting_since = self.waiting_since or row.at
        self._become(NEW, row)

    def _answered(self, row: Row) -> None:
        by = str(row.sender_agent) if row.sender_agent else self.agent
        figures = self._at(row, by)
        figures.outbounds += 1
        if self.waiting_since is not None:
            took = (row.at - self.waiting_since).total_seconds()
            figures.responses += 1
            figures.timeToRespondSeconds += took
            if not self.is_answered:
                figures.initialResponses += 1
                figures.timeToInitialResponseSeconds += took
            self.is_answered, self.waiting_since = True, None
        self._become(REPLIED, row, by)

    def _closed(self, row: Row) -> None:
        figures = self._at(row)
        figures.closed += 1
        figures.timeToCloseSeconds += (row.at - self.started_at).total_seconds()
        self.status, self.waiting_since = CLOSED, None

    def _become(self, status: str, row: Row, by: str | None = None) -> None:
        if self.status == status:
            return
        self.status = status
        if status == NEW:
            self._at(row).transitionsToNew += 1
        else:
            self._at(row, by).transitionsToReplied += 1

    def _at(self, row: Row, by: str | None = None) -> Figures:
        """Where this event counts; what lies before the asked span counts nowhere."""
        number = self.periods.of(row.at)
        if number is None:
            return Figures()
        return self.found.setdefault((number, self.team, by or self.agent), Figures())

    def _first_team(self, rows: list[Row]) -> UUID:
        """Whose the chat was at first. Of one that was never transferred: as now; of others the log tells a name, which may be no team's any more."""
        if not any(row.type == ChatTransferred.type for row in rows):
            return rows[0].present_team
        return self.team_names.get(rows[0].team or "", rows[0].present_team)


def _as_id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
