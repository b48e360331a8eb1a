"""Teams, seats and channels as an application changes them that may. Each change stands in the audit log under the application's name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Membership
from agents.seats import open_seat, set_capacity
from agents.signals import availability_changed
from chats.due import ask_routing
from chats.errors import Conflict, Forbidden
from contactcenter import audit
from contactcenter.accounts import end_sessions, find_person, new_user, send_welcome
from contactcenter.models import Application, ApplicationTeam, Channel, Team, User

SEAT_FIELDS = ("name", "role", "languages", "skills", "is_active")


@transaction.atomic
def add_team(by: Application, fields: dict[str, Any]) -> Team:
    """Raises Conflict when the key is taken. An application that is bound to teams is bound to this one, too."""
    if Team.objects.filter(center=by.center, key=fields["key"]).exists():
        raise Conflict(_("There is a team with this key."))
    team = Team.objects.create(center=by.center, **fields)
    if by.application_teams.exists():
        ApplicationTeam.objects.create(center=by.center, application=by, team=team)
    _note(by, "team added", team, fields)
    return team


@transaction.atomic
def change_team(by: Application, team: Team, fields: dict[str, Any], *, now: datetime) -> Team:
    """Raises Conflict when the key is taken."""
    key = fields.get("key", team.key)
    if Team.objects.filter(center=by.center, key=key).exclude(pk=team.pk).exists():
        raise Conflict(_("There is a team with this key."))
    _set(team, fields)
    ask_routing([team.pk], now)
    _note(by, "team changed", team, fields)
    return team


@transaction.atomic
def add_channel(by: Application, fields: dict[str, Any]) -> Channel:
    channel = Channel.objects.create(center=by.center, **fields)
    _note(by, "channel added", channel, fields)
    return channel


@transaction.atomic
def change_channel(by: Application, channel: Channel, fields: dict[str, Any]) -> Channel:
    _set(channel, fields)
    _note(by, "channel changed", channel, fields)
    return channel


@transaction.atomic
def add_seat(by: Application, fields: dict[str, Any], *, now: datetime) -> Agent:
    """fields: name, teams, is_bot, user {email} and those of a seat. Whether the person had an account already does not show. Raises Conflict."""
    name, is_bot = fields["name"], fields["is_bot"]
    person = _bot(by, name) if is_bot else _person(by, fields["user"]["email"].lower(), name)
    own = {key: fields[key] for key in (*SEAT_FIELDS[1:], "capacity") if key in fields}
    agent = open_seat(by.center, person, name=name, teams=fields["teams"], is_bot=is_bot, **own)
    if not is_bot:
        send_welcome(person, by.center)
    _note(by, "seat opened", agent, own)
    return agent


@transaction.atomic
def change_seat(by: Application, agent: Agent, fields: dict[str, Any], *, now: datetime) -> Agent:
    """fields: those of a seat, capacity, teams (with `of_teams`: the ids among which they are set, None = all). Raises Forbidden for an administrator's seat."""
    if agent.is_admin:
        raise Forbidden(_("Administrators' seats are changed in the admin alone."))
    own = {key: fields[key] for key in SEAT_FIELDS if key in fields}
    loses_rights = any(key in own and own[key] != getattr(agent, key) for key in ("role", "is_active"))
    _set(agent, own)
    if "capacity" in fields:
        set_capacity(agent, fields["capacity"])
    if "teams" in fields:
        _join(agent, fields["teams"], among=fields.get("of_teams"))
    if loses_rights:
        end_sessions(agent.user)
    availability_changed.send(sender=Agent, agent_id=agent.pk, now=now)
    _note(by, "seat changed", agent, own)
    return agent


def _set(row: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    if fields:
        row.save(update_fields=list(fields))


def _person(by: Application, email: str, name: str) -> User:
    person = find_person(email)
    if person is not None and Agent.objects.filter(center=by.center, user=person).exists():
        raise Conflict(_("This person has a seat here already."))
    return person or new_user(email, email=email, name=name)


def _bot(by: Application, name: str) -> User:
    return new_user(f"{by.center.slug}-{name.lower().replace(' ', '-')}", name=name)


def _join(agent: Agent, teams: Iterable[Team], *, among: frozenset[UUID] | None) -> None:
    """These teams and no others, as far as the application's word counts."""
    wanted = {team.pk for team in teams}
    memberships = Membership.objects.filter(agent=agent)
    held = set(memberships.values_list("team_id", flat=True))
    ended = {pk for pk in held - wanted if among is None or pk in among}
    memberships.filter(team_id__in=ended).delete()
    Membership.objects.bulk_create(
        [Membership(center_id=agent.center_id, agent=agent, team_id=pk) for pk in sorted(wanted - held)]
    )


def _note(by: Application, action: str, subject: object, fields: dict[str, Any]) -> None:
    changes = {name: str(value)[:200] for name, value in fields.items()}
    audit.note(action, actor=f"application {by.name}", center=by.center, subject=subject, changes=changes)
