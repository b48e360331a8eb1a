"""Chats and people as their caller may see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from chats.errors import NotFound
from chats.models import Chat, Customer, Participant
from chats.shapes import (
    agent_shape,
    chat_for_customer,
    chat_for_staff,
    customer_shape,
    for_customer,
    for_staff,
    stamp,
    with_load,
)
from contactcenter.prepared import Prepared, attach

from .principals import AgentCaller, Caller, CustomerCaller
from .scope import find_in, visible_agents, visible_chats


def chats_for(caller: Caller, chats: "QuerySet[Chat]") -> "QuerySet[Chat]":
    """The chats with all that `chat_for` reads."""
    return for_customer(chats) if isinstance(caller, CustomerCaller) else for_staff(chats)


def find_shown_chat(caller: Caller, chat_id: UUID) -> Chat:
    """One of `visible_chats` with all that `chat_for` reads. Raises NotFound."""
    if not isinstance(caller, CustomerCaller):
        found: Chat = find_in(chats_for(caller, visible_chats(caller)), chat_id)
        return found
    chat = _with_parts(_CUSTOMERS_CHAT.first(chat_id, caller.customer.pk))
    if chat is None:
        raise NotFound
    return chat


def _with_parts(chat: Chat | None) -> Chat | None:
    if chat is not None:
        attach(chat, "participants", _PARTICIPANTS.rows(chat.pk), Participant)
    return chat


# What shapes.for_customer loads, for who asks all the time.
_CHAT = Prepared(lambda chat: for_customer(Chat.objects.filter(pk=chat)).prefetch_related(None))
_CUSTOMERS_CHAT = Prepared(
    lambda chat, customer: for_customer(Chat.objects.filter(pk=chat, customer=customer)).prefetch_related(None)
)
_PARTICIPANTS = Prepared(lambda chat: Participant.objects.filter(chat=chat))


def chat_for(caller: Caller, chat: Chat, now: datetime) -> dict[str, Any]:
    if isinstance(caller, CustomerCaller):
        return chat_for_customer(chat)
    viewer = caller.agent.pk if isinstance(caller, AgentCaller) else None
    return chat_for_staff(chat, viewer_id=viewer, now=now)


def fresh_chat(caller: Caller, chat_id: Any, now: datetime) -> dict[str, Any]:
    """A chat as the database has it now. The caller was allowed to act on it: it may have left the caller's sight by that."""
    chat = _with_parts(_CHAT.first(chat_id)) if isinstance(caller, CustomerCaller) else None
    return chat_for(caller, chat or chats_for(caller, Chat.objects.filter(pk=chat_id)).get(), now)


def fresh_agent(caller: Caller, agent_id: Any, now: datetime) -> dict[str, Any]:
    return agent_shape(with_load(visible_agents(caller)).get(pk=agent_id), now=now)


def customer_in_full(customer: Customer) -> dict[str, Any]:
    """Everything that staff may know of a customer."""
    return customer_shape(customer) | {
        "time_zone": customer.time_zone,
        "external_id": customer.external_id,
        "data": customer.data,
        "notes": customer.notes,
        "is_blocked": customer.is_blocked,
        "blocked_until": stamp(customer.blocked_until),
        "block_reason": customer.block_reason,
        "merged_into": str(customer.merged_into_id) if customer.merged_into_id else None,
        "erased_at": stamp(customer.erased_at),
        "created_at": stamp(customer.created_at),
        "last_seen_at": stamp(customer.last_seen_at),
    }
