"""Who is there: agents at their desks, and customers whose apps are open. To read; the desk and the apps' sockets write it.

Of agents all are shown where no id is asked for; customers only by id.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Q
from django.db.models.functions import Lower
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent, Presence
from chats.errors import Invalid
from chats.models import AppSession, ForeignCustomer
from contactcenter.models import Registration

from .door import Door
from .names import AGENT, agent_id, as_uuid, iso, visible_teams

AVAILABLE, AWAY, OFFLINE = "available", "away", "offline"
ONLINE = "online"
SEEN = timedelta(seconds=60)  # an open socket says so twice in this time
MOST = 1_000


class Agents(serializers.Serializer[Any]):
    id = serializers.CharField(required=False, help_text="May be repeated.")
    status = serializers.ChoiceField([AVAILABLE, AWAY, OFFLINE], required=False)


class Customers(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="May be repeated.")


class AgentPresence(Door):
    queries = {"GET": Agents}

    def get(self, request: Request) -> Response:
        """Which agents are there."""
        status = self.read_query(Agents).get("status")
        agents = visible_agents(self.caller.registration)
        if ids := asked_ids(request):
            agents = _named(agents, ids)
        shown = [agent_shape(agent, self.now) for agent in agents.order_by("name", "pk")[:MOST]]
        return Response([one for one in shown if status in (None, one["status"])])


class AppPresence(Door):
    queries = {"GET": Customers}

    def get(self, request: Request) -> Response:
        """Which customers have their app open."""
        self.read_query(Customers)
        wanted = ForeignCustomer.objects.filter(
            registration=self.caller.registration, external_id__in=asked_ids(request)
        )
        profiles = list(wanted.annotate(first_at=Min("app_sessions__created_at")).exclude(first_at=None))
        seen = last_seen(profiles, self.now)
        return Response([app_shape(profile, seen.get(profile.pk), self.now) for profile in profiles])


def asked_ids(request: Request) -> list[str]:
    """Those that any row can have. Raises Invalid for too many."""
    ids = request.query_params.getlist("id")
    if len(ids) > MOST:
        raise Invalid(fields={"id": f"{MOST} at most."})
    return [one for one in dict.fromkeys(ids) if one and "\0" not in one]


# Agents ---------------------------------------------------------------------------------------------------------------


def visible_agents(registration: Registration) -> Any:
    """Of the center; of the application's teams alone where it is bound to some."""
    agents = Agent.objects.active().filter(center_id=registration.center_id).select_related("user", "presence")
    if registration.application.application_teams.exists():
        agents = agents.filter(pk__in=Agent.objects.filter(teams__in=visible_teams(registration)).values("pk"))
    return agents


def _named(agents: Any, ids: list[str]) -> Any:
    """As they are called everywhere (names.find_agent)."""
    names = [one.removeprefix(AGENT) for one in ids]
    wanted = Q(address__in=[name.lower() for name in names]) | Q(user__username__in=names)
    wanted |= Q(pk__in=[row_id for name in names if (row_id := as_uuid(name))])
    return agents.annotate(address=Lower("user__email")).filter(wanted)


def agent_shape(agent: Agent, now: datetime) -> dict[str, Any]:
    presence = getattr(agent, "presence", None) or Presence(agent=agent, status_at=agent.created_at)
    is_connected = presence.is_leased(now) and presence.status != Presence.Status.OFFLINE
    is_away = is_connected and presence.status == Presence.Status.AWAY
    changed_at = presence.status_at
    if not is_connected and presence.lease_until is not None and presence.lease_until <= now:
        changed_at = max(changed_at, presence.lease_until)  # when the desk was seen last
    return {
        "profileId": agent_id(agent),
        "status": AWAY if is_away else AVAILABLE if is_connected else OFFLINE,
        "isAway": is_away,
        "isConnected": is_connected,
        "lastUpdatedOn": iso(changed_at),
    }


# Customers ------------------------------------------------------------------------------------------------------------


def last_seen(profiles: Sequence[ForeignCustomer], now: datetime) -> dict[Any, datetime]:
    """When each profile's live sessions last said that their socket is open."""
    seen: dict[Any, datetime] = {}
    live = AppSession.objects.live(now).filter(profile__in=profiles)
    for profile_id, facts in live.values_list("profile_id", "facts").iterator():
        at = _read(facts.get("seen_at"))
        if at is not None:
            seen[profile_id] = max(at, seen.get(profile_id, at))
    return seen


def app_shape(profile: Any, seen_at: datetime | None, now: datetime) -> dict[str, Any]:
    return {
        "profileId": profile.external_id,
        "status": ONLINE if seen_at is not None and now - seen_at < SEEN else OFFLINE,
        "lastUpdatedOn": iso(seen_at or profile.first_at),
        "createdOn": iso(profile.first_at),
    }


def _read(stamp: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else None


ROUTES: list[tuple[str, type[Door], str]] = [
    ("presence", AgentPresence, "presence"),
    ("presence/appmessaging", AppPresence, "presence-app"),
]
