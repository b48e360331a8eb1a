"""Chats as desks are shown them, many at once, with queries that are compiled once."""

from collections import defaultdict
from uuid import UUID

from chats.models import Chat, Participant
from chats.shapes import for_staff
from contactcenter.prepared import Prepared, among, attach


def load_chats(ids: list[UUID]) -> dict[UUID, Chat]:
    """With all that `for_staff` loads."""
    chats = {chat.pk: chat for chat in _CHATS.rows(ids)}
    parts: dict[UUID, list[Participant]] = defaultdict(list)
    for one in _PARTICIPANTS.rows(ids):
        parts[one.chat_id].append(one)
    for chat in chats.values():
        attach(chat, "participants", parts[chat.pk], Participant)
    return chats


_CHATS = Prepared(lambda ids: for_staff(Chat.objects.filter(pk__in=among(ids))).prefetch_related(None))
_PARTICIPANTS = Prepared(lambda ids: Participant.objects.filter(chat__in=among(ids)))
