"""What all desks of a center show: colleagues, queues, who may still be here. Read once for all sockets of the process."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from agents.models import Agent, Membership
from chats.live.listen import to_json
from chats.models import Chat, Occupation, Participant
from chats.shapes import QUEUE_SHOWN, agent_shape, queue_shape, with_load
from contactcenter.models import ContactCenter, Team
from contactcenter.prepared import Prepared, PreparedValues, among, attach

from .rows import load_chats

MOST_WAITING = 5_000
# What agent_shape and the board read of an agent: of hundreds, once a second, all else is left in the database.
SHOWN = (
    *("name", "avatar", "role", "is_bot", "capacity", "languages", "skills", "user__session_version"),
    *("presence__status", "presence__status_at", "presence__lease_until"),
)


@dataclass
class Queue:
    """One team's queue: what it was made from, and how it is sent."""

    made_from: tuple[Any, ...]
    shape: dict[str, Any]
    json: str


@dataclass
class Board:
    """One center at one moment."""

    agents: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    versions: dict[UUID, int] = field(default_factory=dict)
    colleagues: str = "[]"
    teams: set[UUID] = field(default_factory=set)
    queues: dict[UUID, Queue] = field(default_factory=dict)

    def admits(self, agent_id: UUID, version: int) -> bool:
        """Whether the seat, its person and the center are active, and nobody ended the person's sessions."""
        return self.versions.get(agent_id) == version

    def queue_of(self, team_ids: Iterable[UUID]) -> list[Queue]:
        return [self.queues[team_id] for team_id in sorted(team_ids) if team_id in self.queues]


# The last one of each center: queues that have not changed are not read and made again.
_last: dict[UUID, Board] = {}


def load_boards(center_ids: list[UUID]) -> dict[UUID, Board]:
    """Five queries a center (one more for each queue that has changed)."""
    now = timezone.now()
    active = ContactCenter.objects.filter(pk__in=center_ids, is_active=True)
    return {center.pk: _load_board(center, now) for center in active}


def _load_board(center: ContactCenter, now: datetime) -> Board:
    board = Board(teams=set(center.teams.filter(is_active=True).values_list("pk", flat=True)))
    for agent in _load_agents(center):
        board.agents[agent.pk] = agent_shape(agent, now=now)
        board.versions[agent.pk] = agent.user.session_version
    board.colleagues = to_json(list(board.agents.values()))
    _load_queues(center, board, now)
    _last[center.pk] = board
    return board


def _load_agents(center: ContactCenter) -> list[Any]:
    """The active ones of a center, as `with_load` gives them. Planned anew each time: a plan from when the center was small would not do (decision 17)."""
    active = with_load(Agent.objects.active().filter(center=center)).prefetch_related(None)
    agents: list[Any] = list(active.select_related("user", "presence").only(*SHOWN))
    teams: dict[UUID, list[Membership]] = defaultdict(list)
    for one in Membership.objects.filter(center=center).order_by("team_id"):
        teams[one.agent_id].append(one)
    for agent in agents:
        attach(agent, "memberships", teams[agent.pk], Membership)
    return agents


def _load_queues(center: ContactCenter, board: Board, now: datetime) -> None:
    waiting: dict[UUID, list[tuple[UUID, datetime | None, int]]] = defaultdict(list)
    rows = Chat.objects.waiting().filter(center=center).values_list("team_id", "pk", "queued_at", "position")
    for team_id, chat_id, queued_at, position in rows[:MOST_WAITING]:
        waiting[team_id].append((chat_id, queued_at, position))
    last = _last.get(center.pk)
    for team_id in board.teams:
        chats = waiting[team_id]
        oldest = min((queued_at for _, queued_at, _ in chats if queued_at), default=None)
        made_from = (len(chats), oldest, tuple(chats[:QUEUE_SHOWN]))
        known = last.queues.get(team_id) if last else None
        board.queues[team_id] = (
            known if known and known.made_from == made_from else _make_queue(team_id, made_from, now)
        )


def _make_queue(team_id: UUID, made_from: tuple[Any, ...], now: datetime) -> Queue:
    count, oldest, first = made_from
    ids = [chat_id for chat_id, _, _ in first]
    by_id = load_chats(ids) if ids else {}
    shown = [by_id[chat_id] for chat_id in ids if chat_id in by_id]
    shape = queue_shape(team_id, shown, count=count, oldest_at=oldest, now=now)
    return Queue(made_from, shape, to_json(shape))


@dataclass(frozen=True)
class Concerns:
    """Which chats concern one agent now."""

    occupied: dict[UUID, UUID | None]  # chat → its invitation, or None when it is held
    guests: dict[UUID, str]  # colleagues' chats to which the agent was asked → invited or joined


def load_concerns(agent_ids: list[UUID]) -> dict[UUID, Concerns]:
    occupied, guests = load_occupations(agent_ids), _load_guests(agent_ids)
    return {agent_id: Concerns(occupied[agent_id], guests[agent_id]) for agent_id in agent_ids}


def load_occupations(agent_ids: list[UUID]) -> dict[UUID, dict[UUID, UUID | None]]:
    """What sits in the agents' slots: chat → its invitation, or None when it is held."""
    found: dict[UUID, dict[UUID, UUID | None]] = {agent_id: {} for agent_id in agent_ids}
    for agent_id, chat_id, invitation_id in _OCCUPATIONS.tuples(agent_ids):
        found[agent_id][chat_id] = invitation_id
    return found


def _load_guests(agent_ids: list[UUID]) -> dict[UUID, dict[UUID, str]]:
    found: dict[UUID, dict[UUID, str]] = {agent_id: {} for agent_id in agent_ids}
    for guest in _GUESTS.rows(agent_ids):
        found[guest.agent_id][guest.chat_id] = "joined" if guest.is_guest else "invited"  # type: ignore[index]
    return found


_OCCUPATIONS = PreparedValues(
    lambda agents: Occupation.objects.filter(agent__in=among(agents)).values_list(
        "agent_id", "chat_id", "invitation_id"
    )
)
_GUESTS = Prepared(lambda agents: Participant.objects.guests().filter(agent__in=among(agents)))


def teams_of(agent: Agent) -> list[Team]:
    """Whose queues the agent sees: the own teams', as a supervisor all of the center."""
    teams = agent.center.teams.filter(is_active=True)
    return list(teams if agent.is_supervisor else teams.filter(memberships__agent=agent))
