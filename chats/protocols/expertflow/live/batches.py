"""What a connector is given next, and how far it has got: the synchronous half of feed.py."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from chats.actions import connectors
from chats.actions.connectors import HOLD, note_given
from chats.actions.outbound import note_outbound_given, owed_outbound
from chats.errors import Unauthorized
from chats.models import Connector, Event, ForeignChat, OutboundMessage, Participant
from chats.protocols.expertflow.callers import Caller, live_registrations
from chats.protocols.expertflow.people import BOT, SYSTEM_ID, Conversation, person
from chats.protocols.expertflow.shapes import CHAT
from chats.protocols.expertflow.words import words_for
from chats.shapes import event_for_customer, stamp

KEEP = timedelta(seconds=4)  # between two renewals of a hold; with a slow beat still less than half of it
MOST_CHATS = 50  # in one batch
MOST_EVENTS = 100
MOST_OUTBOUND = 100


@dataclass(frozen=True)
class Batch:
    """messages: as the client reads them, in this order; given: chat → up to which index; numbers: of outbound messages."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    given: dict[UUID, int] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


def take_up(connector: Connector, holder: UUID, title: str) -> bool:
    """Whether another connection may just be giving something."""
    return connectors.take_up(connector, holder, title=title, now=timezone.now())


def keep_up(connector: Connector, holder: UUID, title: str) -> None:
    """Be the holder on, or again where nobody else is; the connector is called so in any case."""
    connectors.keep_up(connector.pk, holder, now=timezone.now())
    connectors.call_connector(connector, title)


def give_up(connector_id: UUID, holder: UUID) -> None:
    connectors.give_up(connector_id, holder, now=timezone.now())


def next_batch(caller: Caller, connector_id: UUID, holder: UUID) -> Batch | None:
    """What is owed, where this connection is the holder, or becomes it because the one before has gone. None for nothing. Raises Unauthorized."""
    now = timezone.now()
    if not _holds(caller, connector_id, holder, now):
        return None
    batch = Batch()
    _add_chats(batch, connector_id)
    _add_outbound(batch, connector_id, now)
    return batch if batch.given or batch.numbers else None


def note(connector: Connector, batch: Batch) -> None:
    """The batch has arrived."""
    for chat_id, index in batch.given.items():
        note_given(chat_id, index)
    if batch.numbers:
        note_outbound_given(connector, batch.numbers, timezone.now())


def _holds(caller: Caller, connector_id: UUID, holder: UUID, now: datetime) -> bool:
    fresh = Connector.objects.filter(pk=connector_id, holder=holder, held_until__gt=now + HOLD - KEEP)
    if fresh.exists():
        return True
    if not _is_admitted(caller):
        raise Unauthorized
    return connectors.keep_up(connector_id, holder, now=now)


def _is_admitted(caller: Caller) -> bool:
    """Whether its access still lets it be a connector. That a secret is no longer the one, watch.py sees."""
    known = live_registrations().filter(pk=caller.registration.pk).first()
    return known is not None and Caller(known, caller.is_proven).may_connect


def _add_chats(batch: Batch, connector_id: UUID) -> None:
    """Of the chats that are owed something, the one that has waited longest first. What does not fit is left for the next batch."""
    owed = ForeignChat.objects.filter(connector_id=connector_id, owed_since__isnull=False).order_by("owed_since", "pk")
    left = MOST_EVENTS
    for foreign in owed.select_related("chat__center").prefetch_related("chat__participants")[:MOST_CHATS]:
        left -= _add_chat(batch, foreign, left)
        if left <= 0:
            return


def _add_chat(batch: Batch, foreign: ForeignChat, most: int) -> int:
    """How many events were added. The customer's own were said by the connector itself."""
    customer = next(part for part in foreign.chat.participants.all() if part.kind == Participant.Kind.CUSTOMER)
    conversation = Conversation.of(foreign)
    after = customer.delivered_index
    events = list(Event.objects.filter(chat_id=foreign.chat_id, index__gt=after).order_by("index")[:most])
    for event in events:
        if event.sender_kind != Participant.Kind.CUSTOMER:
            batch.messages.extend(words_for(conversation, event_for_customer(event)))
    batch.given[foreign.chat_id] = (events[-1].index or after) if events else after
    return len(events)


def _add_outbound(batch: Batch, connector_id: UUID, now: datetime) -> None:
    owed = owed_outbound(connector_id, now, MOST_OUTBOUND)
    if owed:
        connector = Connector.objects.select_related("center").get(pk=connector_id)
        batch.messages.extend(_outbound_shape(message, connector) for message in owed)
        batch.numbers.extend(message.number for message in owed)


def _outbound_shape(message: OutboundMessage, connector: Connector) -> dict[str, Any]:
    """A ChatMessage of no conversation, with the same members as those of one."""
    return {
        "id": str(message.id),
        "conversationId": "",
        "type": CHAT,
        "from": person(SYSTEM_ID, connector.center.name, BOT),
        "to": [],
        "text": message.text,
        "refId": message.account,
        "channel": connector.name,
        "tag": "",
        "attachments": [],
        "timestamp": stamp(message.created_at),
    }
