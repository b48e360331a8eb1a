"""Within the transaction of an event: a row for each message that is to travel. The row is the promise; the wake-up only makes it sooner."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.utils import timezone

from chats.due import do_soon
from chats.events import CustomerReminded, MessagePosted, Record
from chats.models import Carriage, Dispatch, Participant

TRAVELS = frozenset({MessagePosted.type, CustomerReminded.type})


def file_records(records: Iterable[Record], **_: Any) -> None:
    """events.recorded: what staff and the house say in chats that travel. Their rows are locked, so the numbers follow the log."""
    ours = [record for record in records if record.chat.is_carried and _travels(record)]
    if not ours:
        return
    ways = {way.chat_id: way for way in Carriage.objects.filter(chat__in={record.chat.pk for record in ours})}
    # SQLite's own clock writes times that do not compare with ours.
    clock = {} if connection.vendor == "postgresql" else {"filed_at": timezone.now()}
    rows = [
        Dispatch(
            center_id=record.chat.center_id,
            channel_id=way.channel_id,
            chat_id=record.chat.pk,
            account_id=way.account_id,
            position=record.event.position,
            index=record.event.index or 0,
            **clock,
        )
        for record in ours
        if (way := ways.get(record.chat.pk))  # a connector's chat has none
    ]
    Dispatch.objects.bulk_create(rows)
    for channel_id in dict.fromkeys(row.channel_id for row in rows):
        do_soon("dispatch", channel_id)


def _travels(record: Record) -> bool:
    return record.event.type in TRAVELS and record.event.sender_kind != Participant.Kind.CUSTOMER
