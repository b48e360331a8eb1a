"""GET /chats: which of them, in a number of queries that does not grow with them."""

from typing import Any

from django.db.models import Q

from chats.errors import Forbidden
from chats.models import Chat, ForeignCustomer, SpaceChat

from .callers import Caller
from .names import AGENT, as_uuid, find_agent
from .shapes import chat_shape, names_of
from .spaces import new_to, visible_chats

MOST = 1000  # the original has no pages: the newest


def find_chats(caller: Caller, asked: dict[str, Any]) -> list[Any]:
    """`asked`: of ChatList. Chats as JSON or their ids, the newest first. Raises Forbidden for an app that asks for another's."""
    chats = visible_chats(caller).filter(_states(caller, asked))
    if profile_id := asked.get("profileId"):
        chats = chats.filter(_taking_part(caller, profile_id))
    chats = chats.order_by("-started_at", "-pk")
    if asked["idsOnly"]:
        return [str(one) for one in chats.values_list("pk", flat=True)[:MOST]]
    return _shapes(caller, list(chats[:MOST]))


def _states(caller: Caller, asked: dict[str, Any]) -> Q:
    rows = SpaceChat.objects.filter(registration=caller.registration, deleted_at__isnull=False)
    deleted = Q(pk__in=rows.values("chat_id"))
    open_ones = ~Q(state=Chat.State.CLOSED)
    shown = (Q() if asked["includeClosed"] else open_ones) & ~deleted
    return shown | deleted if asked["includeDeleted"] and caller.is_program else shown


def _taking_part(caller: Caller, profile_id: str) -> Q:
    """Nobody's chats for an unknown profile."""
    if caller.profile is not None:
        if profile_id != caller.profile.external_id:
            raise Forbidden("A session sees the chats of its own profile.")
        return Q()  # which it sees alone anyway
    if profile_id.startswith(AGENT):
        agent = find_agent(caller.registration, profile_id)
        return Q(agent=agent) if agent else Q(pk__in=[])
    known = ForeignCustomer.objects.filter(registration=caller.registration, external_id=profile_id).first()
    customer_id = known.customer_id if known else as_uuid(profile_id)
    return Q(customer_id=customer_id) if customer_id else Q(pk__in=[])


def _shapes(caller: Caller, chats: list[Chat]) -> list[dict[str, Any]]:
    """With what the space knows of them; of those that it has never looked at, what it would."""
    rows = SpaceChat.objects.filter(registration=caller.registration, chat__in=chats)
    known = {row.chat_id: row for row in rows.select_related("original_team", "conversation")}
    found = []
    for chat in chats:
        row = known.get(chat.pk) or new_to(caller.registration, chat)
        row.chat, row.registration = chat, caller.registration
        found.append(row)
    names = names_of(caller.registration, found)
    return [chat_shape(one, names) for one in found]
