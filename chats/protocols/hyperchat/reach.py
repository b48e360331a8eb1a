"""What a caller may reach. Every id from outside is looked up here; what is not in it is not found, whoever owns it."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from agents.models import Agent, Membership
from chats.errors import Forbidden, Invalid, NotFound
from chats.models import Chat, Customer, ForeignCustomer, Participant
from contactcenter.models import Team

from .callers import Caller

SYSTEM = "system"  # the id of the user who says automatic messages and closes chats by rule

# What the shape of a chat, and who may do what in it, is read from.
SHOWN = ("team__center", "customer", "agent", "foreign__registration", "channel")


def as_id(value: Any) -> UUID | None:
    """An id of ours as their clients send it back: text, with or without hyphens."""
    if not isinstance(value, str) or len(value) not in (32, 36):
        return None
    try:
        return UUID(value)
    except ValueError:
        return None


class Reach:
    """Bound to one caller: its application's rooms, users, agents and chats; with a user's token that user's own."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.registration = caller.registration

    # Rooms ------------------------------------------------------------------------------------------------------------

    def room(self, room_id: Any) -> Team:
        """The team of a room; numbers and texts mean the same. Raises Invalid."""
        team = self.caller.rooms.get(str(room_id)) if isinstance(room_id, str | int) else None
        if team is None or not team.is_active:
            raise Invalid("Unknown room")
        return team

    def room_id(self, team_id: UUID) -> str:
        """The id of a team's room; a chat may have been passed on to a team that has none here."""
        found = (room for room, team in self.caller.rooms.items() if team.pk == team_id)
        return next(found, str(team_id))

    @property
    def team_ids(self) -> set[UUID]:
        return {team.pk for team in self.caller.rooms.values()}

    # Users ------------------------------------------------------------------------------------------------------------

    def customers(self) -> "QuerySet[ForeignCustomer]":
        """Those of the application; with a customer's token itself, with an agent's those of the chats in its reach."""
        known = ForeignCustomer.objects.filter(registration=self.registration).select_related("customer")
        user = self.caller.user
        if isinstance(user, Agent):
            return known.filter(customer__in=self.chats().values("customer"))
        return known if user is None else known.filter(customer=user)

    def customer(self, user_id: Any) -> ForeignCustomer:
        """Whom the id names, or who has taken in that customer when staff found both to be one person. Raises NotFound."""
        try:
            found: ForeignCustomer = self._one(self.customers(), "customer_id", user_id)
        except NotFound:
            found = self._one(self.customers(), "customer__merged", user_id)
        return found

    def agents(self) -> "QuerySet[Agent]":
        """Agents of the rooms, and whoever took part in a chat of the application."""
        seats = Agent.objects.filter(center_id=self.registration.center_id, is_active=True)
        members = Membership.objects.filter(team_id__in=self.team_ids).values("agent_id")
        took_part = Participant.objects.filter(
            chat__foreign__registration=self.registration, agent__isnull=False, joined_at__isnull=False
        ).values("agent_id")
        return seats.filter(Q(pk__in=members) | Q(pk__in=took_part))

    def agent(self, agent_id: Any) -> Agent:
        """Raises NotFound."""
        found: Agent = self._one(self.agents(), "pk", agent_id)
        return found

    def user(self, user_id: Any) -> ForeignCustomer | Agent:
        """A customer or an agent. Raises NotFound."""
        try:
            return self.customer(user_id)
        except NotFound:
            return self.agent(user_id)

    def acting(self, user_id: Any) -> ForeignCustomer | Agent:
        """The user in whose name the call acts: whom a server names, or the one whose token it is. Raises Invalid, NotFound, Forbidden."""
        own = self.caller.user
        if own is None:
            if not self.caller.is_server:
                raise Forbidden("Show a user's token")
            if user_id in (None, ""):
                raise Invalid("Name the user")
            return self.user(user_id)
        if user_id not in (None, "") and as_id(user_id) != own.pk:
            raise Forbidden("This token is another user's")
        return own if isinstance(own, Agent) else self.customer(str(own.pk))

    # Chats ------------------------------------------------------------------------------------------------------------

    def chats(self) -> "QuerySet[Chat]":
        """Chats that the application began; with a customer's token that customer's, with an agent's those held, offered or waiting for a team of it."""
        chats = Chat.objects.filter(foreign__registration=self.registration)
        user = self.caller.user
        if isinstance(user, Customer):
            return chats.filter(customer=user)
        if isinstance(user, Agent):
            took_part = Participant.objects.filter(agent=user, joined_at__isnull=False).values("chat_id")
            teams = Membership.objects.filter(agent=user).values("team_id")
            waiting = Q(state__in=Chat.WAITING, team_id__in=teams)
            return chats.filter(Q(occupation__agent=user) | Q(pk__in=took_part) | waiting)
        return chats

    def chat(self, chat_id: Any) -> Chat:
        """With team, customer, agent and the foreign row. Raises NotFound."""
        found: Chat = self._one(self.chats().select_related(*SHOWN), "pk", chat_id)
        return found

    @staticmethod
    def _one(rows: Any, name: str, value: Any) -> Any:
        row_id = as_id(value)
        row = rows.filter(**{name: row_id}).first() if row_id else None
        if row is None:
            raise NotFound
        return row


def part_in(chat: Chat, user: ForeignCustomer | Agent) -> Participant:
    """The user as a participant of the chat. Raises Forbidden for who takes no part in it."""
    if isinstance(user, Agent):
        part = chat.participants.filter(agent=user, joined_at__isnull=False).first()
    elif user.customer_id == chat.customer_id:
        part = chat.participants.filter(kind=Participant.Kind.CUSTOMER).first()
    else:
        part = None
    if part is None:
        raise Forbidden("This user takes no part in the chat")
    return part
