"""Within the transaction that causes an event: a row for each call that it asks for.

A row is the promise; the wake-up after the commit only makes it sooner. Rows of one chat are filed by whoever holds the chat's row, so that
their numbers follow the log.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import connection
from django.utils import timezone

from chats.due import do_soon
from chats.models import Chat, Delivery, Event, Webhook, hot

from .batches import wait_of

OURS = ""


class Record(Protocol):
    """An event as stored, with the chat as it was when the event was written (chats.events.Record)."""

    @property
    def chat(self) -> Chat: ...

    @property
    def event(self) -> Event: ...


@dataclass(frozen=True, slots=True)
class Filed:
    """One call to make: `payload` is the whole body. With a `chat_id` it keeps its place among the chat's other calls to this address."""

    webhook: Webhook
    chat_id: UUID | None
    event: str
    payload: dict[str, Any]


class Speaker(Protocol):
    """Says events in the words of one API. The web hooks are those of the records' centers that speak it, live, with application, registration
    and the application's teams loaded, but without their secrets. What is returned stands in the order of the records."""

    def __call__(self, webhooks: Sequence[Webhook], records: Sequence[Record], /) -> list[Filed]: ...


# By protocol (Registration.protocol; OURS for our own words). Filled by chats.apps.
speakers: dict[str, Speaker] = {}


def file_records(records: Sequence[Record], **_: Any) -> None:
    """events.recorded: file what the centers' web hooks want to hear of these events. One query where there are none, and none where that is known."""
    webhooks = live_webhooks({record.chat.center_id for record in records if record.chat.may_have_webhooks})
    by_protocol: dict[str, list[Webhook]] = defaultdict(list)
    for webhook in webhooks:
        by_protocol[webhook.registration.protocol if webhook.registration else OURS].append(webhook)
    for protocol, own in by_protocol.items():
        if speak := speakers.get(protocol):
            centers = {webhook.center_id for webhook in own}
            file(speak(own, [record for record in records if record.chat.center_id in centers]))


def file(filed: Sequence[Filed]) -> None:
    """File calls, in this order. The caller is in a transaction, and holds the rows of the chats that they belong to."""
    now = timezone.now()
    # SQLite's own clock writes times that do not compare with ours. It has one writer: no other row is filed before the commit.
    clock = {} if connection.vendor == "postgresql" else {"filed_at": now}
    rows = [
        Delivery(
            center_id=call.webhook.center_id,
            webhook=call.webhook,
            chat_id=call.chat_id,
            event=call.event,
            payload=call.payload,
            due_at=now + wait_of(call.webhook),
            **clock,
        )
        for call in filed
    ]
    Delivery.objects.bulk_create(rows)
    for webhook_id in dict.fromkeys(row.webhook_id for row in rows):
        do_soon("deliver", webhook_id)


def live_webhooks(center_ids: Iterable[UUID]) -> list[Webhook]:
    """What is filed for: one cheap query where there is none, else two more. Secrets stay closed: here only the address's owner matters."""
    centers = list(center_ids)
    if not centers or not hot.centers_with(Webhook, centers):
        return []
    live = Webhook.objects.live().filter(center_id__in=centers)
    return list(
        live.select_related("application", "registration")
        .prefetch_related("application__application_teams")
        .defer("secret", "old_secret")
        .order_by("created_at", "id")
    )
