"""What an agent's program reaches: chats on offer, held, visited as a guest, and those in which the agent was when they ended.

Here a chat has our own id. The one that its customer knows proves whose it is, and no agent ever learns it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from agents.models import Agent
from chats.errors import Invalid, NotFound
from chats.models import Chat, Invitation, Participant
from contactcenter.models import Team

from .callers import live_registrations

INVITED, CHATTING, COMPLETED = "Invited", "Chatting", "Completed"


@dataclass(frozen=True)
class Place:
    """A chat and the agent's place in it. `invitation`: the offer to become its owner; `part`: the agent as a participant."""

    chat: Chat
    agent: Agent
    invitation: Invitation | None
    part: Participant | None

    @property
    def is_owner(self) -> bool:
        return self.chat.agent_id == self.agent.pk

    @property
    def is_guest(self) -> bool:
        return self.part is not None and self.part.is_guest

    @property
    def is_asked(self) -> bool:
        return self.part is not None and self.part.is_asked

    @property
    def state(self) -> str:
        if not self.chat.is_open:
            return COMPLETED
        return CHATTING if self.is_owner or self.is_guest else INVITED

    def seat(self) -> Participant:
        """The agent as one who speaks. Raises NotFound for who is only invited."""
        if self.part is None or self.state == INVITED:
            raise NotFound("You have not accepted this chat.")
        return self.part


def open_chats(agent: Agent) -> "QuerySet[Chat]":
    """Those of the list, the oldest first."""
    visited = Participant.objects.guests().filter(agent=agent).values("chat_id")
    chats = agent.center.chats.filter(Q(occupation__agent=agent) | Q(pk__in=visited))
    return _with_all(chats, agent).order_by("started_at", "pk")


def find_place(agent: Agent, chat_id: str) -> Place:
    """Raises NotFound."""
    visited = Participant.objects.guests().filter(agent=agent).values("chat_id")
    until_the_end = Participant.objects.filter(chat=OuterRef("pk"), agent=agent, left_at=OuterRef("closed_at"))
    chats = agent.center.chats.filter(Q(occupation__agent=agent) | Q(pk__in=visited) | Exists(until_the_end))
    chat = _with_all(chats.filter(pk=as_id(chat_id)), agent).first()
    if chat is None:
        raise NotFound("There is no such chat.")
    return place_in(chat, agent)


def place_in(chat: Chat, agent: Agent) -> Place:
    """`chat` as open_chats gives it."""
    offers: list[Invitation] = chat.offers  # type: ignore[attr-defined]
    part = next((one for one in chat.participants.all() if one.agent_id == agent.pk), None)
    return Place(chat, agent, offers[0] if offers else None, part)


def named_agent(seat: Agent, uri: str) -> Agent:
    """The colleague whom a targetUri names: the last part of a path, as an id, a user name or an address. Raises Invalid."""
    name = uri.rstrip("/").rpartition("/")[2].strip()
    known = Agent.objects.active().filter(center_id=seat.center_id)
    means = Q(user__username=name) | Q(user__email__iexact=name)
    found: Agent | None = known.filter(Q(pk=as_id(name)) | means).first() if name else None
    if found is None:
        raise Invalid(fields={"targetUri": "There is no such agent."})
    return found


def named_team(chat: Chat, name: str) -> Team:
    """The team of a queueName: an endpoint of the center, a team's key or its name. Raises Invalid."""
    teams = Team.objects.filter(center_id=chat.center_id, is_active=True)
    registrations = live_registrations().filter(center_id=chat.center_id).values("pk")
    rooms: dict[str, Any] = {
        "registration_teams__registration__in": registrations,
        "registration_teams__foreign_id": name,
    }
    for means in (rooms, {"key": name}, {"name__iexact": name}):
        team: Team | None = teams.filter(**means).first()
        if team:
            return team
    raise Invalid(fields={"queueName": "There is no such queue."})


def as_id(value: str) -> UUID | None:
    """One of our ids; None for anything else."""
    try:
        return UUID(value) if len(value) == 36 else None
    except ValueError:
        return None


def _with_all(chats: "QuerySet[Chat]", agent: Agent) -> "QuerySet[Chat]":
    """With what places and shapes read: three queries for any number of them."""
    mine = Prefetch("invitations", Invitation.objects.pending().filter(agent=agent), to_attr="offers")
    related = chats.select_related("team", "customer", "agent", "center", "disposition")
    return related.prefetch_related("participants", mine)
