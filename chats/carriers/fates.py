"""What a network tells of a message after it took it. Reports come twice, late and in any order; a fate never goes back."""

from datetime import datetime

from django.db import transaction

from chats.actions.locking import lock_chat
from chats.actions.read import mark_delivered, mark_read
from chats.events import MessageFailed, record
from chats.models import Chat, Dispatch
from contactcenter.models import Channel

from .dispatches import customer_in

ORDER = [Dispatch.Fate.NONE, Dispatch.Fate.LOST, Dispatch.Fate.DELIVERED, Dispatch.Fate.READ]


@transaction.atomic
def note_fate(
    channel: Channel, external_id: str, fate: Dispatch.Fate, *, error: str = "", code: str = "", now: datetime
) -> Dispatch | None:
    """Note it, and tell the desk. None for a message that is not ours. `error`: why it was lost."""
    known = Dispatch.objects.filter(channel=channel, external_id=external_id).exclude(external_id="").first()
    if known is None:
        return None
    chat = lock_chat(Chat.objects, known.chat_id)
    row = Dispatch.objects.select_for_update(no_key=True).get(number=known.number)
    if row.external_id != external_id or ORDER.index(fate) <= ORDER.index(Dispatch.Fate(row.fate)):
        return row
    row.fate, row.fate_at = fate, now
    if fate == Dispatch.Fate.LOST:
        row.failed_at, row.error = now, error[:300]
        record(chat, MessageFailed(index=row.index, error=row.error, code=code), now=now)
    row.save()
    if fate == Dispatch.Fate.DELIVERED:
        mark_delivered(customer_in(row.chat_id), row.index)
    elif fate == Dispatch.Fate.READ:
        mark_read(customer_in(row.chat_id), row.index)
    return row
