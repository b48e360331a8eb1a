"""How actions reach the rows that they change."""

from typing import Any
from uuid import UUID

from agents.models import Agent
from chats.errors import Closed, NotFound
from chats.models import Chat, Customer, Participant, hot
from contactcenter.prepared import Prepared


def lock_chat(chats: Any, chat_id: UUID) -> Chat:
    """The chat with its row locked, out of those that the caller may reach (center.chats, customer.chats). Raises NotFound."""
    chat = Chat.objects.filter(pk__in=chats.filter(pk=chat_id).values("pk")).locked().first()
    if chat is None:
        raise NotFound
    return chat


def lock_open_chat(chats: Any, chat_id: UUID) -> Chat:
    """The same for an action that a closed chat refuses. Raises NotFound or Closed."""
    chat = lock_chat(chats, chat_id)
    if not chat.is_open:
        raise Closed
    return chat


def lock_customer(customer_id: UUID) -> Customer:
    """The customer with its row locked. Raises DoesNotExist."""
    customer = _CUSTOMER.first(customer_id)
    if customer is None:
        raise Customer.DoesNotExist
    return customer


_CUSTOMER = Prepared(lambda customer: Customer.objects.filter(pk=customer).select_for_update(no_key=True))


def seat_in_chat(chat: Chat, agent: Agent, **fields: Any) -> Participant:
    """The agent as a participant of the chat, made with these fields when it is the first time. Having a row is not yet taking part (joined_at)."""
    kind = Participant.Kind.BOT if agent.is_bot else Participant.Kind.AGENT
    known = _SEAT.first(chat.pk, agent.pk)
    if known is None:
        made = Participant(center_id=chat.center_id, chat=chat, agent=agent, kind=kind, name=agent.name, **fields)
        hot.insert_seat(made)
        known = _SEAT.first(chat.pk, agent.pk)
    assert known is not None  # noqa: S101 - it was there, or is there now
    return known


_SEAT = Prepared(lambda chat, agent: Participant.objects.filter(chat=chat, agent=agent))
