"""Connectors come and go, and are given what is said in the chats that they carry.

The log is their outbox. How far a chat's connector has got is its customer's `delivered_index`; that something is left is written with the event
that leaves it (`ForeignChat.owed_since`), so a connector that was away finds what it is owed, and the desk sees that it is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from chats.errors import Full
from chats.events import Record
from chats.models import Chat, Connector, Event, ForeignChat, Participant
from contactcenter.models import Channel, Registration

from .read import mark_delivered

HOLD = timedelta(seconds=15)  # a process that died is followed by another after this time
MOST_CONNECTORS = 20  # of one registration
MOST_REMEMBERED = 10_000  # chats
KINDS = {
    "web": Channel.Kind.WEB,
    "app": Channel.Kind.APP,
    "sms": Channel.Kind.SMS,
    "smpp": Channel.Kind.SMS,
    "email": Channel.Kind.EMAIL,
    "fb": Channel.Kind.FACEBOOK,
    "facebook": Channel.Kind.FACEBOOK,
}

owed = Signal()  # connector_id: UUID; after the commit
changed = Signal()  # connector_id: UUID; after the commit: it came or went


# Coming and going -----------------------------------------------------------------------------------------------------


def make_connector(registration: Registration, name: str, title: str = "") -> Connector:
    """The connector of this channel, made with a channel of ours when it is new. Raises Full."""
    known = registration.connectors.select_related("channel__center", "channel__team", "registration").filter(name=name)
    found = known.first()
    if found is None:
        try:
            with transaction.atomic():
                _make(registration, name, title)
        except IntegrityError:
            pass  # just made by another
        found = known.get()
    return found


def take_up(connector: Connector, holder: UUID, *, title: str = "", now: datetime) -> bool:
    """This connection is given the connector's messages from now on. The newest wins: the one before may be dead and not know it.

    Whether there is one before that may be alive, and so may just be giving something.
    """
    fields: dict[str, Any] = {"holder": holder, "held_until": now + HOLD, "away_since": None}
    if title:
        fields["title"] = title
    with transaction.atomic():
        rows = Connector.objects.filter(pk=connector.pk)
        before = rows.select_for_update(no_key=True, of=("self",)).get()
        rows.update(**fields)
        transaction.on_commit(partial(changed.send, sender=None, connector_id=connector.pk), robust=True)
    return before.holder != holder and before.is_there(now)


def keep_up(connector_id: UUID, holder: UUID, *, now: datetime) -> bool:
    """Stay the holder, or become it where the one before has gone: whether the connection is the holder."""
    free = Q(holder=holder) | Q(holder=None) | Q(held_until__lte=now)
    rows = Connector.objects.filter(free, pk=connector_id)
    return bool(rows.update(holder=holder, held_until=now + HOLD, away_since=None))


def call_connector(connector: Connector, title: str) -> None:
    """What people call it from now on; an empty title changes nothing."""
    if title:
        Connector.objects.filter(pk=connector.pk).update(title=title)


def give_up(connector_id: UUID, holder: UUID, *, now: datetime) -> None:
    """The connection has gone."""
    with transaction.atomic():
        rows = Connector.objects.filter(pk=connector_id, holder=holder)
        if rows.update(holder=None, held_until=None, away_since=now):
            transaction.on_commit(partial(changed.send, sender=None, connector_id=connector_id), robust=True)


def note_absent(now: datetime) -> int:
    """Connectors whose process died are away since they were last seen: how many. Run it often; it may run twice."""
    rows = Connector.objects.filter(held_until__lte=now).exclude(holder=None)
    gone = list(rows.values_list("pk", "held_until"))
    for connector_id, seen in gone:
        left = rows.filter(pk=connector_id, held_until=seen).update(holder=None, held_until=None, away_since=seen)
        if left:
            changed.send(sender=None, connector_id=connector_id)
    return len(gone)


def _make(registration: Registration, name: str, title: str) -> None:
    if registration.connectors.count() >= MOST_CONNECTORS:
        raise Full(_("This application has as many connectors as it can have."))
    channel = Channel.objects.create(
        center_id=registration.center_id,
        kind=KINDS.get(name, Channel.Kind.API),
        name=title or name,
        team=registration.channel.team,
    )
    Connector.objects.create(
        center_id=registration.center_id, registration=registration, channel=channel, name=name, title=title
    )


# What they are owed ---------------------------------------------------------------------------------------------------


def write_owed(records: Iterable[Record], **_: Any) -> None:
    """events.recorded: within the transaction, whose writer has locked the chats."""
    carried = {
        record.chat.pk: record.event.at
        for record in records
        if record.chat.is_foreign and _is_owed(record.event) and connector_of(record.chat.pk)
    }
    for chat_id, at in carried.items():
        ForeignChat.objects.filter(chat_id=chat_id, owed_since=None).update(owed_since=at)


def tell_owed(records: Iterable[Record], **_: Any) -> None:
    """events.committed: wake the connectors."""
    for connector_id in {
        connector_of(record.chat.pk) for record in records if record.chat.is_foreign and _is_owed(record.event)
    }:
        if connector_id:
            owed.send(sender=None, connector_id=connector_id)


def note_given(chat_id: UUID, index: int) -> None:
    """The connector has all of the chat up to this index. Also one that another has replaced since says so truly."""
    with transaction.atomic():
        # With the chat's row locked: nothing can be added while we look whether something is left.
        if Chat.objects.filter(pk=chat_id).locked().first() is None:
            return  # it was deleted
        customer = Participant.objects.get(chat_id=chat_id, kind=Participant.Kind.CUSTOMER)
        mark_delivered(customer, index)
        later = Event.objects.filter(chat_id=chat_id, index__gt=max(index, customer.delivered_index))
        left = later.exclude(sender_kind=Participant.Kind.CUSTOMER).order_by("index")
        ForeignChat.objects.filter(chat_id=chat_id).update(owed_since=left.values_list("at", flat=True).first())


@lru_cache(maxsize=MOST_REMEMBERED)
def connector_of(chat_id: UUID) -> UUID | None:
    """Which connector carries the chat; that never changes."""
    connector_id: UUID | None = (
        ForeignChat.objects.filter(chat_id=chat_id).values_list("connector_id", flat=True).first()
    )
    return connector_id


def _is_owed(event: Event) -> bool:
    return event.index is not None and event.sender_kind != Participant.Kind.CUSTOMER
