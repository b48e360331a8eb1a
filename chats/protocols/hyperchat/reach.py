"""What a caller may reach. Every id from outside is looked up here; what is not in it is not found, whoever owns it."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from agents.models import Agent, Membership
from chats.errors import Forbidden, Invalid, NotFound
from chats.models import Chat, Customer, ForeignCustomer, Participant
from contactcenter.models import Team
from contactcenter.prepared import Prepared

from .callers import KNOWN, Caller

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
        own, row_id = self.caller.user, as_id(user_id)
        if row_id and (own is None or (isinstance(own, Customer) and own.pk == row_id)):
            known = KNOWN.first(self.registration.pk, row_id)
            if known is not None:
                return known
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
        user = self.caller.user
        if isinstance(user, Customer):
            return _of_customer(self.registration.pk, user.pk)
        if isinstance(user, Agent):
            return _of_agent(self.registration.pk, user.pk)
        return of_application(self.registration.pk)

    def chat(self, chat_id: Any) -> Chat:
        """One of `chats`, with team, customer, agent and the foreign row. Raises NotFound."""
        row_id, user = as_id(chat_id), self.caller.user
        of_user = () if user is None else (user.pk,)
        customer = _CUSTOMER[type(user)].first(row_id, self.registration.pk, *of_user) if row_id else None
        if customer is None:
            raise NotFound
        chat: Chat = customer.chat
        chat.customer_part = customer  # who asks for the chat mostly acts in it
        return chat

    @staticmethod
    def _one(rows: Any, name: str, value: Any) -> Any:
        row_id = as_id(value)
        row = rows.filter(**{name: row_id}).first() if row_id else None
        if row is None:
            raise NotFound
        return row


def of_application(registration_id: Any) -> "QuerySet[Chat]":
    return Chat.objects.filter(foreign__registration=registration_id)


def _of_customer(registration_id: Any, customer_id: Any) -> "QuerySet[Chat]":
    return of_application(registration_id).filter(customer=customer_id)


def _of_agent(registration_id: Any, agent_id: Any) -> "QuerySet[Chat]":
    took_part = Participant.objects.filter(agent=agent_id, joined_at__isnull=False).values("chat_id")
    teams = Membership.objects.filter(agent=agent_id).values("team_id")
    waiting = Q(state__in=Chat.WAITING, team_id__in=teams)
    return of_application(registration_id).filter(Q(occupation__agent=agent_id) | Q(pk__in=took_part) | waiting)


def customer_in(chats: "QuerySet[Chat]", chat_id: Any) -> "QuerySet[Participant]":
    """Of the chat, if it is among these; with the chat."""
    customers = Participant.objects.filter(kind=Participant.Kind.CUSTOMER, chat=chat_id)
    among = chats.filter(pk=chat_id).order_by().values("pk")
    return customers.filter(chat__in=among).select_related(*(f"chat__{name}" for name in SHOWN))


# By whose token was shown.
_CUSTOMER: dict[type, Prepared[Participant]] = {
    type(None): Prepared(lambda chat, registration: customer_in(of_application(registration), chat)),
    Customer: Prepared(lambda chat, registration, customer: customer_in(_of_customer(registration, customer), chat)),
    Agent: Prepared(lambda chat, registration, agent: customer_in(_of_agent(registration, agent), chat)),
}


def part_in(chat: Chat, user: ForeignCustomer | Agent) -> Participant:
    """The user as a participant of the chat. Raises Forbidden for who takes no part in it."""
    if isinstance(user, Agent):
        part = chat.part_of(user.pk)
        part = part if part and part.joined_at else None
    elif user.customer_id == chat.customer_id:
        part = chat.customer_part
    else:
        part = None
    if part is None:
        raise Forbidden("This user takes no part in the chat")
    return part
