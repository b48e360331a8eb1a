"""The agents of a team and the chats that wait for them, as the pure choice wants them. Five queries, however many there are."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from agents.models import Membership
from agents.models.presence import LEAVING
from chats.events import AgentLeft
from chats.models import Chat, Event, Invitation, Occupation, Participant
from contactcenter.models import Team
from contactcenter.prepared import PreparedValues, among

from .choose import Candidate, Need, words

MEMORY = timedelta(minutes=10)  # how long it counts that somebody would not take a chat
GIVEN_BACK = ("left", "returned")  # reasons of agent.left
MOST_CHATS = 1000  # looked at in one run; the others are far from their turn

_AGENT = ("agent_id", "agent__name", "agent__capacity", "agent__languages", "agent__skills")
_PRESENCE = tuple(
    f"agent__presence__{name}" for name in ("status", "status_at", "lease_until", "idle_since", "last_assigned_at")
)


@dataclass(frozen=True, slots=True)
class Waiting:
    chat_id: UUID
    need: Need


def load_candidates(team: Team, now: datetime) -> dict[UUID, Candidate]:
    """All active agents of the team."""
    used = {agent_id: (sits, latest) for agent_id, sits, latest in _LOADS.tuples(team.pk)}
    return {row[0]: _candidate(row, used.get(row[0], (0, None)), now) for row in _SEATS.tuples(team.pk)}


_SEATS = PreparedValues(
    lambda team: Membership.objects.filter(
        team=team, agent__is_active=True, agent__user__is_active=True, agent__presence__isnull=False
    ).values_list(*_AGENT, *_PRESENCE)
)
# Chats, not slots: an agent has as many slots as its capacity says (agents.seats), and retired ones only while all of those are taken.
_LOADS = PreparedValues(
    lambda team: (
        Occupation.objects.filter(agent__in=Membership.objects.filter(team=team).values("agent_id"))
        .values_list("agent_id")
        .order_by("agent_id")
        .annotate(sits=Count("pk"), latest=Max("since"))
    )
)


def _candidate(row: tuple[Any, ...], figures: tuple[int, datetime | None], now: datetime) -> Candidate:
    agent_id, name, capacity, languages, skills, status, status_at, lease_until, idle_since, assigned_at = row
    sits, latest = figures
    return Candidate(
        agent_id=agent_id,
        name=name,
        status=status,
        is_seen=lease_until is not None and lease_until > now + LEAVING,
        capacity=capacity,
        free=max(capacity - sits, 0),
        languages=words(languages),
        skills=words(skills),
        # Lunch is not idleness: it counts from when the agent came online.
        idle_since=None if sits else max(idle_since or status_at, status_at),
        # An offer counts as an assignment, or one agent would be offered everything before the first is answered.
        last_assigned_at=max(filter(None, [assigned_at, latest]), default=None),
    )


def load_waiting(team: Team, now: datetime) -> list[Waiting]:
    """The team's chats that are not on offer, the next one first. A search (direct mode) whose time is over is ended first, by tend_chat."""
    chats = _UNOFFERED.tuples(team.pk, now)
    tried = _load_tried([pk for pk, _, _ in chats], now - MEMORY) if chats else {}
    return [
        Waiting(pk, Need(language=language, skills=words(skills), tried=tuple(tried.get(pk, ()))))
        for pk, language, skills in chats
    ]


_UNOFFERED = PreparedValues(
    lambda team, now: (
        Chat.objects.waiting()
        .unsteered()
        .filter(team=team, occupation=None)
        .exclude(state=Chat.State.SEARCHING, search_until__lte=now)
        .values_list("pk", "language", "skills")[:MOST_CHATS]
    )
)


def _load_tried(chat_ids: list[UUID], since: datetime) -> dict[UUID, list[tuple[UUID, datetime]]]:
    rows = [*_REFUSALS.tuples(chat_ids, since), *load_left(chat_ids, since)]
    tried: dict[UUID, list[tuple[UUID, datetime]]] = defaultdict(list)
    for chat_id, agent_id, at in sorted(rows, key=lambda row: row[2]):
        tried[chat_id].append((agent_id, at))
    return tried


_REFUSALS = PreparedValues(
    lambda chats, since: Invitation.objects.filter(
        chat__in=among(chats), state__in=[Invitation.State.DECLINED, Invitation.State.EXPIRED], ended_at__gt=since
    ).values_list("chat_id", "agent_id", "ended_at")
)


def load_left(chat_ids: list[UUID], since: datetime) -> list[tuple[UUID, UUID, datetime]]:
    """(chat, agent, when) of agents who gave one of these chats back, or were to give it back: somebody else is wanted."""
    # The log of a chat is read only where a seat says that somebody left it.
    left = [chat_id for (chat_id,) in _LEFT.tuples(chat_ids, since)]
    given = _GIVEN_BACK.tuples(left, since) if left else []
    return [(chat_id, UUID(agent), at) for chat_id, agent, at in given]


_LEFT = PreparedValues(
    lambda chats, since: Participant.objects.filter(
        chat__in=among(chats), left_at__gte=since, agent__isnull=False
    ).values_list("chat_id")
)
_GIVEN_BACK = PreparedValues(
    lambda chats, since: Event.objects.filter(
        chat__in=among(chats), type=AgentLeft.type, data__reason__in=GIVEN_BACK, at__gte=since
    ).values_list("chat_id", "data__agent", "at")
)
