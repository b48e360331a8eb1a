"""Which chats an API space sees: all of the center's whose team its application may use, however they came."""

from datetime import datetime
from typing import Any

from django.db import Error, IntegrityError, transaction

from chats.errors import NotFound
from chats.models import Chat, SpaceChat
from contactcenter.models import Registration
from contactcenter.outage import is_outage

from .callers import Caller
from .names import as_uuid, visible_teams


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
    rows = SpaceChat.objects.filter(registration=registration, chat=chat).loaded()
    found = rows.first()
    if found is None:
        made = new_to(registration, chat, **fields)
        try:
            with transaction.atomic():
                made.save(force_insert=True)
        except IntegrityError:
            pass  # just made by another
        except Error as error:
            if not is_outage(error):
                raise
            return made  # while nothing can be written, reading goes on
        found = rows.get()
    found.registration = registration
    return found


def new_to(registration: Registration, chat: Chat, **fields: Any) -> SpaceChat:
    """A chat of which the space has no row yet; not saved. To be looked at for the first time does not change it."""
    first = {"original_team": chat.team, "updated_at": chat.started_at, **fields}
    return SpaceChat(center_id=chat.center_id, registration=registration, chat=chat, **first)
