"""Chats and people as their caller may see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery

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
from contactcenter.models import Installation
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
    return chat_of(_CUSTOMERS_PARTS.rows(chat_id, caller.customer.pk))


def find_at_epoch(caller: Caller, chat_id: UUID) -> tuple[Chat, str]:
    """The same with the database's epoch: of customers, who ask all the time, by one look-up. Raises NotFound."""
    if not isinstance(caller, CustomerCaller):
        return find_shown_chat(caller, chat_id), str(Installation.current().epoch)
    parts: list[Any] = _PARTS_AT_EPOCH.rows(chat_id, caller.customer.pk)
    chat = chat_of(parts)
    return chat, str(parts[0].epoch or Installation.current().epoch)


def chat_of(parts: list[Participant]) -> Chat:
    """The chat of these: all who ever had a part in it. Raises NotFound for nobody: each chat has its customer's."""
    if not parts:
        raise NotFound
    chat: Chat = parts[0].chat
    attach(chat, "participants", parts, Participant)
    chat.customer_part = next(part for part in parts if part.kind == Participant.Kind.CUSTOMER)
    return chat


def _parts(**of: Any) -> "QuerySet[Participant]":
    """With what shapes.for_customer loads."""
    shown = ("chat__team", "chat__agent", "chat__channel__widget")
    unseen = ("chat__data", "chat__skills", "chat__agent__languages", "chat__agent__skills", "chat__team__languages")
    return Participant.objects.filter(**of).select_related(*shown).defer(*unseen)


_PARTS = Prepared(lambda chat: _parts(chat=chat))
_CUSTOMERS_PARTS = Prepared(lambda chat, customer: _parts(chat=chat, chat__customer=customer))
_PARTS_AT_EPOCH = Prepared(
    lambda chat, customer: _parts(chat=chat, chat__customer=customer).annotate(
        epoch=Subquery(Installation.objects.values("epoch")[:1])
    )
)


def chat_for(caller: Caller, chat: Chat, now: datetime) -> dict[str, Any]:
    if isinstance(caller, CustomerCaller):
        return chat_for_customer(chat)
    viewer = caller.agent.pk if isinstance(caller, AgentCaller) else None
    return chat_for_staff(chat, viewer_id=viewer, now=now)


def fresh_chat(caller: Caller, chat_id: Any, now: datetime) -> dict[str, Any]:
    """A chat as the database has it now. The caller was allowed to act on it: it may have left the caller's sight by that."""
    if isinstance(caller, CustomerCaller):
        return chat_for(caller, chat_of(_PARTS.rows(chat_id)), now)
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
        "erased_at": stamp(customer.erased_at),
        "created_at": stamp(customer.created_at),
        "last_seen_at": stamp(customer.last_seen_at),
    }
