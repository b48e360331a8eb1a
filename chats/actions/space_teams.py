"""Teams as an API space configures them: what it says of them (RegistrationTeam.facts), their closing words, names and members.

facts: {"appMessaging": {...}, "settings": {...}, "createdOn", "createdBy", "updatedOn", "updatedBy"}; the settings' closeMessage is the team's own `closing`.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from agents.models import Agent, Membership
from agents.signals import availability_changed
from chats.due import ask_routing
from chats.errors import Conflict, NotFound
from contactcenter import audit
from contactcenter.models import Registration, RegistrationTeam, Team

from .configure import add_team, change_team

APP, SETTINGS = "appMessaging", "settings"
PARTS = (APP, SETTINGS)
LONGEST_KEY = 64  # characters of Team.key
KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}")

# The caller's, on the row (with its team) as it is now, locked; None: nothing was ever said of the team. Raises what refuses the change.
Check = Callable[[RegistrationTeam | None], None]


def is_configured(row: RegistrationTeam | None) -> bool:
    return row is not None and any(part in row.facts for part in PARTS)


@transaction.atomic
def configure(
    registration: Registration,
    team: Team,
    part: str,
    value: dict[str, Any],
    *,
    check: Check,
    by: str,
    now: datetime,
) -> RegistrationTeam:
    """Replace one part of what is said of a team. value: of the settings closeMessage, which becomes the team's closing words."""
    known = _locked(registration, team)
    check(known)
    row = known or _made(registration, team)
    kept = dict(value)
    if part == SETTINGS:
        _set_closing(row.team, kept.pop("closeMessage", ""))
    row.facts = _stamped(row.facts, by, now) | {part: kept}
    row.save(update_fields=["facts"])
    _note(registration, "team configured", row.team, {part: value})
    return row


@transaction.atomic
def drop_config(
    registration: Registration, team: Team, parts: Iterable[str], *, check: Check, by: str, now: datetime
) -> None:
    """Forget these parts; the team itself stays. Raises NotFound when there is none of them."""
    row = _locked(registration, team)
    dropped = [part for part in parts if row is not None and part in row.facts]
    if row is None or not dropped:
        raise NotFound
    check(row)
    if SETTINGS in dropped:
        _set_closing(row.team, "")
    left = {name: value for name, value in row.facts.items() if name not in dropped}
    row.facts = _stamped(left, by, now) if any(part in left for part in PARTS) else {}
    row.save(update_fields=["facts"])
    _note(registration, "team configuration removed", row.team, {"parts": ", ".join(dropped)})


@transaction.atomic
def put_team(
    registration: Registration,
    known: Team | None,
    foreign_id: str,
    name: str,
    members: Iterable[Agent] | None,
    *,
    check: Callable[[Team], None],
    now: datetime,
) -> Team:
    """Rename the known team, or make one under this name of the space's; None leaves the members as they are.

    check: gets the known team, locked. Raises Conflict when the space's name is taken, by a team that is switched off, say.
    """
    if known is None:
        team = _add(registration, name, foreign_id)
    else:
        team = Team.objects.select_for_update(no_key=True, of=("self",)).select_related("center").get(pk=known.pk)
        check(team)
        if team.name != name:
            change_team(registration.application, team, {"name": name}, now=now)
    if members is not None:
        _set_members(registration, team, {agent.pk for agent in members}, now)
    return team


def _add(registration: Registration, name: str, foreign_id: str) -> Team:
    if RegistrationTeam.objects.filter(registration=registration, foreign_id=foreign_id).exists():
        raise Conflict("There is a team of this id, which is switched off.")
    team = add_team(registration.application, {"name": name, "key": _free_key(registration, foreign_id)})
    RegistrationTeam.objects.create(
        center_id=team.center_id, registration=registration, team=team, foreign_id=foreign_id
    )
    return team


def _set_members(registration: Registration, team: Team, wanted: set[UUID], now: datetime) -> None:
    """These agents answer the locked team's chats from now on, and no others."""
    memberships = Membership.objects.filter(team=team)
    held = set(memberships.values_list("agent_id", flat=True))
    if wanted == held:
        return
    memberships.filter(agent_id__in=held - wanted).delete()
    Membership.objects.bulk_create(
        [Membership(center_id=team.center_id, team=team, agent_id=pk) for pk in sorted(wanted - held)],
        ignore_conflicts=True,  # an administrator did the same just now
    )
    _note(registration, "team members changed", team, {"joined": len(wanted - held), "left": len(held - wanted)})
    ask_routing([team.pk], now)
    # Later, one by one: each takes locks of its own, and together they could wait for somebody who waits for us.
    for agent_id in sorted(wanted ^ held):
        transaction.on_commit(partial(_announce, agent_id, now), robust=True)


@transaction.atomic
def _announce(agent_id: UUID, now: datetime) -> None:
    availability_changed.send(sender=Agent, agent_id=agent_id, now=now)


def _locked(registration: Registration, team: Team) -> RegistrationTeam | None:
    rows = RegistrationTeam.objects.filter(registration=registration, team=team).select_related("team__center")
    return rows.select_for_update(no_key=True, of=("self",)).first()


def _made(registration: Registration, team: Team) -> RegistrationTeam:
    """Of two that make it at the same moment the constraint refuses the second."""
    return RegistrationTeam.objects.create(
        center_id=team.center_id, registration=registration, team=team, foreign_id=team.key
    )


def _set_closing(team: Team, words: str) -> None:
    if team.closing != words:
        team.closing = words
        team.save(update_fields=["closing"])


def _stamped(facts: dict[str, Any], by: str, now: datetime) -> dict[str, Any]:
    first = {"createdOn": now.isoformat(), "createdBy": by}
    return first | facts | {"updatedOn": now.isoformat(), "updatedBy": by}


def _free_key(registration: Registration, foreign_id: str) -> str:
    """The space's own name where it can be a key and nobody has it."""
    wanted = foreign_id if KEY.fullmatch(foreign_id) else slugify(foreign_id)[:LONGEST_KEY]
    taken = set(Team.objects.filter(center_id=registration.center_id).values_list("key", flat=True))
    numbered = (f"{(wanted or 'team')[: LONGEST_KEY - 4]}_{number}" for number in range(2, 1000))
    free = (key for key in (wanted, *numbered) if key and key not in taken)
    return next(free)


def _note(registration: Registration, action: str, team: Team, changes: dict[str, Any]) -> None:
    shown = {name: str(value)[:200] for name, value in changes.items()}
    actor = f"application {registration.application.name}"
    audit.note(action, actor=actor, center=registration.center, subject=team, changes=shown)
