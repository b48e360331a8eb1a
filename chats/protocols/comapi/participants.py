"""Who is who in one chat, as the API space calls them. The customer's profile is looked up once, not for each message."""

from dataclasses import dataclass, replace
from typing import Any

from chats.models import Event, Participant, SpaceChat

from .callers import Caller
from .names import SYSTEM, agent_id, profile_id
from .teams import TEAM as AS_TEAM
from .teams import reply_as

CUSTOMER = Participant.Kind.CUSTOMER


@dataclass(frozen=True)
class Cast:
    """`customer`: the profile's id; `house`: what customers are shown instead of agents' names, empty for those.

    Events want `sender__agent__user` loaded, else each costs queries of its own.
    """

    known: SpaceChat
    customer: str
    house: str = ""

    @classmethod
    def of(cls, known: SpaceChat) -> "Cast":
        """`known`: with its registration, and its chat with the customer."""
        return cls(known, profile_id(known.registration, known.chat.customer))

    @classmethod
    def for_app(cls, known: SpaceChat) -> "Cast":
        """As the customer's app shows it: a team that replies as a team keeps its agents' names to itself."""
        team = known.chat.team
        return replace(cls.of(known), house=team.name if reply_as(known.registration, team) == AS_TEAM else "")

    @classmethod
    def seen_by(cls, caller: Caller, known: SpaceChat) -> "Cast":
        return cls.of(known) if caller.is_program else cls.for_app(known)

    @property
    def chat_id(self) -> str:
        return str(self.known.chat_id)

    @property
    def conversation_id(self) -> str:
        """The conversation's, else the chat's own: clients of App Messaging want one."""
        conversation = self.known.conversation
        return conversation.external_id if conversation else self.chat_id

    def profile_of(self, event: Event) -> str:
        """Who says it: a bot under the id that its program gave it."""
        named = facts_of(event).get("from", {}).get("id")
        return str(named) if named else self.profile_of_part(event.sender)

    def profile_of_part(self, part: Participant | None) -> str:
        if part is None:
            return SYSTEM
        return agent_id(part.agent) if part.agent is not None else self.customer

    def name_of(self, event: Event) -> str:
        if is_inbound(event):
            return event.sender_name or self.known.chat.customer.name
        is_person = event.sender is not None
        return self.house if self.house and is_person else event.sender_name

    def sent_by(self, event: Event) -> str:
        """session:<profile id> for a customer, interactive:<email> for an agent at the desk, access:<guid> for a program, or system."""
        if named := facts_of(event).get("sentBy"):
            return str(named)
        if is_inbound(event):
            return f"session:{self.customer}"
        if event.sender is not None and event.sender.agent is not None:
            user = event.sender.agent.user
            return f"interactive:{user.email or user.get_username()}"
        return SYSTEM


def is_inbound(event: Event) -> bool:
    """Whether the customer says it."""
    return event.sender_kind == CUSTOMER


def facts_of(event: Event) -> dict[str, Any]:
    """What a client of this API said beside the text (asked_messages.py); nothing for what was said elsewhere."""
    found: dict[str, Any] = event.data.get("facts", {})
    return found
