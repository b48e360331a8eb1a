"""What the configuration service shows of teams: members, and how each answers. Queries are constant, however many teams there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from agents.models import Membership
from chats.actions.space_teams import APP, SETTINGS, is_configured
from contactcenter.models import OpeningHours, Registration, RegistrationTeam, Team

from .names import iso, team_ids, visible_teams

TEAM, INDIVIDUAL = "team", "individual"
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MIDNIGHT = "23:59"  # the original's pattern has no 24:00
ALWAYS = ("00:00", MIDNIGHT)


def reply_as(registration: Registration, team: Team) -> str:
    """`team`: customers see the team's name where an agent answers; `individual`: the agent's."""
    row = row_of(registration, team)
    return str((row.facts.get(APP) or {}).get("replyAs") or TEAM) if row else TEAM


def row_of(registration: Registration, team: Team) -> RegistrationTeam | None:
    return RegistrationTeam.objects.filter(registration=registration, team=team).first()


# Shapes ---------------------------------------------------------------------------------------------------------------


def app_shape(row: RegistrationTeam | None) -> dict[str, Any] | None:
    """How the team answers in the app; None where it was never said."""
    return dict(row.facts[APP]) if row is not None and APP in row.facts else None


def settings_shape(row: RegistrationTeam | None, team: Team) -> dict[str, Any] | None:
    """The same of its general settings, with its opening hours."""
    if row is None or SETTINGS not in row.facts:
        return None
    return {"closeMessage": team.closing, **row.facts[SETTINGS], "workingHours": working_hours(team)}


def members_shape(registration: Registration, team: Team, row: RegistrationTeam | None) -> dict[str, Any]:
    members = Membership.objects.filter(team=team, agent__is_active=True).select_related("agent__user")
    users = [member.agent.user for member in members.order_by("agent__name", "pk")]
    return {
        "id": team_ids(registration, [team])[team.pk],
        "name": team.name,
        "members": [{"username": user.email or user.get_username()} for user in users],
        **Stamps.of(registration, [row] if row else []).shape(),
    }


def config_shape(registration: Registration) -> dict[str, Any]:
    """All teams that the application may use, with what was said of them."""
    teams = list(visible_teams(registration).prefetch_related("opening_hours").order_by("name", "pk"))
    rows = {row.team_id: row for row in RegistrationTeam.objects.filter(registration=registration, team__in=teams)}
    named = team_ids(registration, teams)
    shown = [{"teamId": named[team.pk], **_one(rows.get(team.pk), team)} for team in teams]
    return {"teams": shown, **Stamps.of(registration, rows.values()).shape()}


def _one(row: RegistrationTeam | None, team: Team) -> dict[str, Any]:
    """One that was never configured shows what holds for it."""
    app = app_shape(row)
    general = settings_shape(row, team) or {"closeMessage": team.closing, "workingHours": working_hours(team)}
    return {"channels": {"appMessagingConfig": app} if app else {}, "settings": general}


def working_hours(team: Team) -> list[dict[str, str]]:
    """[{days, from, to}], HH:MM in the team's time zone."""
    if team.always_open:
        return _named({ALWAYS: set(range(7))})
    spans: dict[tuple[str, str], set[int]] = {}
    for span in team.opening_hours.all():
        spans.setdefault((f"{span.opens:%H:%M}", _closes(span)), set()).add(span.weekday)
    return _named(spans)


def _closes(span: OpeningHours) -> str:
    return MIDNIGHT if span.closes == time(0) else f"{span.closes:%H:%M}"


def _named(spans: dict[tuple[str, str], set[int]]) -> list[dict[str, str]]:
    """The weekdays of equal spans in as few words as the original has."""
    found: list[tuple[int, str, dict[str, str]]] = []
    for (opens, closes), days in spans.items():
        left = set(days)
        for name, whole in (("Monday to Friday", {0, 1, 2, 3, 4}), ("Weekend", {5, 6})):
            if whole <= left:
                left -= whole
                found.append((min(whole), opens, {"days": name, "from": opens, "to": closes}))
        found += [(day, opens, {"days": WEEK[day], "from": opens, "to": closes}) for day in left]
    return [one for _day, _opens, one in sorted(found, key=lambda item: item[:2])]


@dataclass(frozen=True)
class Stamps:
    """When and by whom a configuration was made and last changed; what was never configured is as old as the API space."""

    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    @classmethod
    def of(cls, registration: Registration, rows: Iterable[RegistrationTeam]) -> "Stamps":
        said = [row.facts for row in rows if is_configured(row)]
        program = f"access:{registration.application_id}"
        at = registration.created_at
        if not said:
            return cls(at, program, at, program)
        first = min(said, key=lambda facts: _read(facts["createdOn"]))
        last = max(said, key=lambda facts: _read(facts["updatedOn"]))
        return cls(_read(first["createdOn"]), first["createdBy"], _read(last["updatedOn"]), last["updatedBy"])

    def shape(self) -> dict[str, Any]:
        return {
            "_createdOn": iso(self.created_at),
            "_createdBy": self.created_by,
            "_updatedOn": iso(self.updated_at),
            "_updatedBy": self.updated_by,
        }


def _read(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
