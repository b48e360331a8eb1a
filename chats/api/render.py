"""Chats and people as their caller may see them."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from chats.models import Chat, Customer
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

from .principals import AgentCaller, Caller, CustomerCaller
from .scope import visible_agents


def chats_for(caller: Caller, chats: "QuerySet[Chat]") -> "QuerySet[Chat]":
    """The chats with all that `chat_for` reads."""
    return for_customer(chats) if isinstance(caller, CustomerCaller) else for_staff(chats)


def chat_for(caller: Caller, chat: Chat, now: datetime) -> dict[str, Any]:
    if isinstance(caller, CustomerCaller):
        return chat_for_customer(chat)
    viewer = caller.agent.pk if isinstance(caller, AgentCaller) else None
    return chat_for_staff(chat, viewer_id=viewer, now=now)


def fresh_chat(caller: Caller, chat_id: Any, now: datetime) -> dict[str, Any]:
    """A chat as the database has it now. The caller was allowed to act on it: it may have left the caller's sight by that."""
    return chat_for(caller, chats_for(caller, Chat.objects.filter(pk=chat_id)).get(), now)


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
        "created_at": stamp(customer.created_at),
        "last_seen_at": stamp(customer.last_seen_at),
    }
