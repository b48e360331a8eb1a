"""What happened in chats, counted: over a span of time, and as it is now."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.errors import Invalid
from chats.models import Chat
from contactcenter.models import Registration, Team

from .callers import Caller
from .door import Door
from .figures import Figures, Key, count
from .names import agent_id, find_agent, iso, team_ids, visible_teams, wanted_team
from .periods import UNITS, Periods, cut, read_moment, read_zone, zone_named
from .shapes import CLOSED, NEW, REPLIED, status_of
from .spaces import visible_chats

ALL_TIME, TEAM, AGENT = "alltime", "team", "agent"


class SpanQuery(serializers.Serializer[Any]):
    """`by`: one of hour, day, month, year and alltime; with commas team and agent beside it."""

    vars()["from"] = serializers.CharField(max_length=40)
    to = serializers.CharField(max_length=40)
    by = serializers.CharField(max_length=60, required=False, default=ALL_TIME)
    timezone = serializers.CharField(max_length=64, required=False, default="UTC")
    teamId = serializers.CharField(max_length=100, required=False)
    agentId = serializers.CharField(max_length=300, required=False)


class LiveQuery(serializers.Serializer[Any]):
    """`by`: team, agent, or both."""

    teamId = serializers.CharField(max_length=100, required=False)
    by = serializers.CharField(max_length=60, required=False, default=TEAM)


class ChatFigures(Door):
    queries = {"GET": SpanQuery}

    def get(self, request: Request) -> Response:
        """Figures of a span of time, for each period, team and agent."""
        asked = self.read_query(SpanQuery)
        zone = read_zone(asked["timezone"])
        wanted = read_by(request, UNITS, default=ALL_TIME)
        units = [name for name in wanted if name in UNITS]
        if len(units) > 1:
            raise Invalid(fields={"by": "names more than one length of time."})
        since, until = (read_moment(name, asked[name], zone) for name in ("from", "to"))
        periods = cut(since, until, units[0] if units else ALL_TIME, zone)
        rows = group(_counted(self.caller, periods, asked), wanted)
        if not wanted & {TEAM, AGENT}:  # a row for each period, also where nothing happened
            rows = {(number, None, None): Figures() for number in range(len(periods))} | rows
        return Response(_shown(self.caller.registration, rows, periods))


class LiveFigures(Door):
    queries = {"GET": LiveQuery}

    def get(self, request: Request) -> Response:
        """How many chats are new, replied and, since midnight in the center's time zone, closed; for each team, or agent."""
        asked = self.read_query(LiveQuery)
        registration, wanted = self.caller.registration, read_by(request, (ALL_TIME,), default=TEAM)
        teams = list(visible_teams(registration))
        if "teamId" in asked:
            teams = [wanted_team(registration, asked["teamId"])]
        zone = zone_named(registration.center.time_zone) or UTC
        midnight = self.now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        chats = _chats(self.caller).filter(~Q(state=Chat.State.CLOSED) | Q(closed_at__gte=midnight), team__in=teams)
        rows: dict[tuple[UUID | None, str | None], dict[str, int]] = {}
        if TEAM in wanted and AGENT not in wanted:  # a row for each team, also for one without chats
            rows = {(team.pk, None): _nothing() for team in teams}
        counted = chats.order_by().values("team_id", "agent_id", "state", "last_sender_kind").annotate(many=Count("pk"))
        for one in counted:
            agent = str(one["agent_id"]) if AGENT in wanted and one["agent_id"] else None
            row = rows.setdefault((one["team_id"] if TEAM in wanted else None, agent), _nothing())
            row[status_of(Chat(state=one["state"], last_sender_kind=one["last_sender_kind"]))] += one["many"]
        names = Names(registration, rows)
        return Response(sorted((names.of(*key) | row for key, row in rows.items()), key=_place))


ROUTES: list[tuple[str, type[Door], str]] = [
    ("analytics/chats", ChatFigures, "chat-figures"),
    ("analytics/chats/live", LiveFigures, "live-figures"),
]


def read_by(request: Request, units: tuple[str, ...], *, default: str) -> set[str]:
    """What `by` names, with commas between or said several times. Raises Invalid."""
    said = [name.strip() for one in request.query_params.getlist("by") for name in one.split(",")]
    wanted = {name for name in said if name} or {default}
    known = {*units, TEAM, AGENT}
    if not wanted <= known:
        raise Invalid(fields={"by": f"must be of {', '.join(sorted(known))}."})
    return wanted


def group(counted: dict[Key, Figures], wanted: set[str]) -> dict[Key, Figures]:
    """The same figures, only as finely as they are wanted."""
    found: dict[Key, Figures] = {}
    for (number, team, agent), figures in counted.items():
        key = (number, team if TEAM in wanted else None, agent if AGENT in wanted else None)
        total = found.setdefault(key, Figures())
        for name, value in vars(figures).items():
            setattr(total, name, getattr(total, name) + value)
    return found


class Names:
    """What these teams and agents of the center are called in the space."""

    def __init__(self, registration: Registration, keys: Iterable[tuple[UUID | None, str | None]]) -> None:
        known = list(keys)
        teams = Team.objects.filter(center_id=registration.center_id, pk__in={team for team, _agent in known if team})
        self.teams = team_ids(registration, teams)
        agents = Agent.objects.filter(
            center_id=registration.center_id, pk__in={agent for _team, agent in known if agent}
        )
        self.agents = {str(agent.pk): agent_id(agent) for agent in agents.select_related("user")}

    def of(self, team: UUID | None, agent: str | None) -> dict[str, str]:
        found = {"teamId": self.teams.get(team, "")} if team else {}
        return found | ({"agentId": self.agents.get(agent, "")} if agent else {})


def _counted(caller: Caller, periods: Periods, asked: dict[str, Any]) -> dict[Key, Figures]:
    """Without what the caller has not asked for, or may not see: a chat that is its teams' now was perhaps another's then."""
    registration = caller.registration
    visible = {team.pk for team in visible_teams(registration)}
    if "teamId" in asked:
        visible = {wanted_team(registration, asked["teamId"]).pk}
    agent = find_agent(registration, asked["agentId"]) if "agentId" in asked else None
    if "agentId" in asked and agent is None:
        raise Invalid(fields={"agentId": "There is no such agent."})
    names = dict(Team.objects.filter(center_id=registration.center_id).values_list("name", "pk"))
    counted = count(visible_chats(caller), periods, names)
    return {
        key: figures
        for key, figures in counted.items()
        if key[1] in visible and (agent is None or key[2] == str(agent.pk))
    }


def _shown(registration: Registration, rows: dict[Key, Figures], periods: Periods) -> list[dict[str, Any]]:
    names = Names(registration, (key[1:] for key in rows))
    shown = []
    for (number, team, agent), figures in rows.items():
        span = {"from": iso(periods.bounds[number]), "to": iso(periods.bounds[number + 1])}
        shown.append(span | names.of(team, agent) | figures.shape())
    return sorted(shown, key=_place)


def _place(row: dict[str, Any]) -> tuple[str, ...]:
    """In the order of time, then of the names that the reader sees."""
    return tuple(row.get(name, "") for name in ("from", "teamId", "agentId"))


def _chats(caller: Caller) -> Any:
    """Those that the space has not deleted."""
    gone = caller.registration.space_chats.exclude(deleted_at=None).values("chat_id")
    return visible_chats(caller).exclude(pk__in=gone)


def _nothing() -> dict[str, int]:
    return {NEW: 0, REPLIED: 0, CLOSED: 0}
