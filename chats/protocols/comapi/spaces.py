"""Which chats an API space sees: all of the center's whose team its application may use, however they came."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from chats.errors import NotFound
from chats.models import Chat, SpaceChat
from contactcenter.models import Registration

from .callers import Caller
from .names import as_uuid, visible_teams

LOADED = ("chat__team", "chat__channel", "chat__customer", "chat__agent__user", "original_team", "conversation")


def visible_chats(caller: Caller) -> Any:
    """Chats (with team, channel, customer, agent) that the caller may see: an app those of its own profile."""
    registration = caller.registration
    chats = Chat.objects.filter(center_id=registration.center_id, team__in=visible_teams(registration))
    if caller.profile is not None:
        chats = chats.filter(customer_id=caller.profile.customer_id)
    return chats.select_related("team", "channel", "customer", "agent__user")


def find_chat(caller: Caller, chat_id: str, now: datetime, *, deleted: bool = False) -> SpaceChat:
    """The chat as the space knows it, made known where it was not. `deleted`: also one that was deleted there. Raises NotFound."""
    row_id = as_uuid(chat_id)
    chat = visible_chats(caller).filter(pk=row_id).first() if row_id else None
    if chat is None:
        raise NotFound("There is no such chat.")
    known = space_chat_of(caller.registration, chat, now=now)
    if known.deleted_at is not None and not deleted:
        raise NotFound("There is no such chat.")
    return known


def space_chat_of(registration: Registration, chat: Chat, *, now: datetime, **fields: Any) -> SpaceChat:
    """The space's row of this chat; `fields` are its own when it is made now."""
    found = SpaceChat.objects.filter(registration=registration, chat=chat).select_related(*LOADED).first()
    if found is None:
        first = {"original_team": chat.team, "updated_at": now, **fields}
        try:
            with transaction.atomic():
                SpaceChat.objects.create(center_id=chat.center_id, registration=registration, chat=chat, **first)
        except IntegrityError:
            pass  # just made by another
        found = SpaceChat.objects.select_related(*LOADED).get(registration=registration, chat=chat)
    found.registration = registration
    return found
