"""Two applications of the demo that speak HyperChat: one searches for agents itself, the other lets its chats wait in line."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agents.models import Agent, Membership
from contactcenter.models import Application, Channel, ContactCenter, Registration, RegistrationTeam, Team

from .application import build_registration


@dataclass(frozen=True)
class Plan:
    """An application with its own channel, and one room, which is a team of its own."""

    name: str
    room: str
    team: dict[str, Any]
    uses_queue: bool


# By the name under which `demo --json` tells them and their secrets are kept.
PLANS = {
    "hyperchat": Plan(
        name="Shopping assistant",
        room="1",
        team={"key": "fitting", "name": "Boot fitting", "mode": Team.Mode.DIRECT},
        uses_queue=False,
    ),
    "hyperchat_queue": Plan(
        name="Repair assistant",
        room="2",
        team={"key": "workshop", "name": "Repairs", "mode": Team.Mode.QUEUE},
        uses_queue=True,
    ),
}


def build_hyperchat(center: ContactCenter, origins: Iterable[str], known: dict[str, str]) -> dict[str, dict[str, str]]:
    """Make both where they are missing: name → {app_id, secret, domain_key, room}. `origins`: of pages that may use the domain key."""
    return {name: _build(center, name, plan, origins, known) for name, plan in PLANS.items()}


def _build(
    center: ContactCenter, name: str, plan: Plan, origins: Iterable[str], known: dict[str, str]
) -> dict[str, str]:
    registration = build_registration(
        center, plan.name, Registration.Protocol.HYPERCHAT, origins, lambda application: _register(application, plan)
    )
    if name not in known or not registration.secret_hash:
        known[name] = registration.renew_secret()
    return {
        "app_id": registration.foreign_id,
        "secret": known[name],
        "domain_key": registration.public_key,
        "room": plan.room,
    }


def _register(application: Application, plan: Plan) -> Registration:
    center = application.center
    team = _team(center, plan.team)
    channel = Channel.objects.create(center=center, kind=Channel.Kind.API, name=plan.name, team=team)
    made = Registration.objects.create(
        center=center, application=application, channel=channel, uses_queue=plan.uses_queue
    )
    RegistrationTeam.objects.create(center=center, registration=made, team=team, foreign_id=plan.room)
    return made


def _team(center: ContactCenter, fields: dict[str, Any]) -> Team:
    """With everybody who is in a team already; who leaves it later stays out."""
    team, is_new = Team.objects.get_or_create(center=center, key=fields["key"], defaults=fields)
    if is_new:
        answering = Agent.objects.filter(center=center, memberships__isnull=False).distinct()
        Membership.objects.bulk_create([Membership(center=center, agent=agent, team=team) for agent in answering])
    return team
