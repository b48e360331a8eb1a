"""Within the transaction of an event: a row for each device of the customer. The row is the promise; a sweep finds it when it is due."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from chats.events import CustomerReminded, MessagePosted, Record
from chats.models import AppSession, Carrier, Participant, PushNotice

TOLD = frozenset({MessagePosted.type, CustomerReminded.type})
PATIENCE = timedelta(seconds=2)  # an app that is open has shown the message by then


def file_records(records: Iterable[Record], **_: Any) -> None:
    """events.recorded: what staff and the house say in chats that customers' apps began. Those that travel leave by their own carrier."""
    ours = [record for record in records if _is_told(record)]
    if not ours:
        return
    devices = _devices(ours)
    # SQLite's own clock writes times that do not compare with ours.
    clock = {} if connection.vendor == "postgresql" else {"filed_at": timezone.now()}
    rows = [
        PushNotice(
            center_id=record.chat.center_id,
            session_id=session_id,
            channel_id=record.chat.channel_id,
            chat_id=record.chat.pk,
            position=record.event.position,
            index=record.event.index or 0,
            due_at=record.event.at + PATIENCE,
            **clock,
        )
        for record in ours
        for session_id in devices[record.chat.customer_id, record.chat.channel_id]
    ]
    if rows:
        PushNotice.objects.bulk_create(rows)


def _is_told(record: Record) -> bool:
    chat, event = record.chat, record.event
    # Chats of our own widget are not foreign: for them nothing is asked.
    return (
        chat.is_foreign
        and not chat.is_carried
        and event.type in TOLD
        and event.sender_kind != Participant.Kind.CUSTOMER
    )


def _devices(records: list[Record]) -> dict[tuple[Any, Any], list[Any]]:
    """Sessions to tell by (customer, channel): those of the channel's own API spaces, whose apps its carrier's credentials are for."""
    live = AppSession.objects.live(records[0].event.at).exclude(push={})
    found = live.filter(
        profile__customer__in={record.chat.customer_id for record in records},
        registration__channel__in={record.chat.channel_id for record in records},
        registration__channel__is_active=True,
        registration__channel__carrier__is_active=True,
        registration__channel__carrier__provider=Carrier.Provider.PUSH,
    )
    devices: dict[tuple[Any, Any], list[Any]] = defaultdict(list)
    for customer, channel, session in found.values_list("profile__customer", "registration__channel", "pk"):
        devices[customer, channel].append(session)
    return devices
