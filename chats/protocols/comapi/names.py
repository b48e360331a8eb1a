"""How our rows are called there, and back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from agents.models import Agent
from chats.errors import Invalid
from chats.models import Customer, Event, ForeignCustomer
from contactcenter.models import Channel, Registration, RegistrationTeam, Team

APP, SMS, EMAIL, FACEBOOK = "appMessaging", "sms", "email", "fbMessenger"
# Web chat is App Messaging with an anonymous profile.
CHANNELS = {
    Channel.Kind.WEB: APP,
    Channel.Kind.APP: APP,
    Channel.Kind.API: APP,
    Channel.Kind.SMS: SMS,
    Channel.Kind.EMAIL: EMAIL,
    Channel.Kind.FACEBOOK: FACEBOOK,
}
KINDS = {APP: Channel.Kind.APP, SMS: Channel.Kind.SMS, EMAIL: Channel.Kind.EMAIL, FACEBOOK: Channel.Kind.FACEBOOK}
AGENT = "PLATFORMUSER\\"
SYSTEM = "system"  # who says what nobody in particular says
LONGEST_TALK = 200  # characters of a conversation's id


def iso(at: datetime | None) -> str | None:
    """2026-11-21T18:00:00.123Z"""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


# Teams ----------------------------------------------------------------------------------------------------------------


def team_id(registration: Registration, team: Team) -> str:
    """As the space calls the team, else its key."""
    return team_ids(registration, [team])[team.pk]


def team_ids(registration: Registration, teams: Iterable[Team]) -> dict[UUID, str]:
    named = dict(RegistrationTeam.objects.filter(registration=registration).values_list("team_id", "foreign_id"))
    return {team.pk: named.get(team.pk, team.key) for team in teams}


def find_team(registration: Registration, name: str) -> Team | None:
    """By the space's name for it, else by its key; one that the application may use. No other spelling: ids are compared exactly."""
    teams = visible_teams(registration)
    named: Team | None = teams.filter(
        registration_teams__registration=registration, registration_teams__foreign_id=name
    ).first()
    return named or teams.filter(key=name).exclude(registration_teams__registration=registration).first()


def visible_teams(registration: Registration) -> Any:
    """Active teams that the application may use (none named: all of the center)."""
    teams = Team.objects.filter(center_id=registration.center_id, is_active=True)
    own = registration.application.application_teams.values("team_id")
    return teams.filter(pk__in=own) if own.exists() else teams


def wanted_team(registration: Registration, name: str, param: str = "teamId") -> Team:
    """Raises Invalid for an unknown one."""
    team = find_team(registration, name)
    if team is None:
        raise Invalid(fields={param: "There is no such team."})
    return team


# People ---------------------------------------------------------------------------------------------------------------


def agent_id(agent: Agent) -> str:
    return AGENT + (agent.user.email or agent.user.get_username())


def find_agent(registration: Registration, profile_id: str) -> Agent | None:
    """PLATFORMUSER\\<email>, with or without the prefix; also our own id."""
    name = profile_id.removeprefix(AGENT)
    agents = Agent.objects.active().filter(center_id=registration.center_id).select_related("user")
    found: Agent | None = agents.filter(user__email__iexact=name).first() or agents.filter(user__username=name).first()
    return found or (agents.filter(pk=row_id).first() if (row_id := as_uuid(profile_id)) else None)


def profile_id(registration: Registration, customer: Customer) -> str:
    """The customer's in this space, else our own id of the customer."""
    return profile_ids(registration, [customer.pk])[customer.pk]


def profile_ids(registration: Registration, customer_ids: Iterable[UUID]) -> dict[UUID, str]:
    ids = list(customer_ids)
    known = ForeignCustomer.objects.filter(registration=registration, customer_id__in=ids, external_id__isnull=False)
    named = dict(known.values_list("customer_id", "external_id"))
    return {one: named.get(one) or str(one) for one in ids}


# Messages, channels ---------------------------------------------------------------------------------------------------


def message_id(event: Event) -> UUID:
    return message_id_at(event.chat_id, event.position)


def message_id_at(chat_id: UUID, position: int) -> UUID:
    """Of what stands there in the chat's log: always the same, and not stored."""
    return uuid5(chat_id, str(position))


def channel_id(channel: Channel) -> str:
    return CHANNELS[Channel.Kind(channel.kind)]


def talk_id(wanted: str) -> str:
    """A conversation's id as we keep it. An app makes it of a team's and a profile's: of one that is too long the end is its hash, which no other's is."""
    if len(wanted) <= LONGEST_TALK:
        return wanted
    return f"{wanted[: LONGEST_TALK - 33]}_{sha256(wanted.encode(errors='replace')).hexdigest()[:32]}"


def as_uuid(text: str) -> UUID | None:
    """8-4-4-4-12 in hex, or 32 digits; None for anything else."""
    try:
        return UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None
