"""The outbox's book of messages that travel: what sending needs is loaded, what became of it is noted."""

import atexit
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.db import transaction

from chats.actions.locking import lock_chat
from chats.actions.read import mark_delivered
from chats.due import do_soon
from chats.events import MessageFailed, MessageResent, record
from chats.models import Account, Attachment, Carriage, Carrier, Chat, Dispatch, Event, Participant
from chats.outbox.courier import Courier
from chats.outbox.lanes import Lanes
from chats.outbox.schedule import backoff
from chats.outbox.sending import Sender
from contactcenter.models import Channel

from .provider import File, Parcel, Result
from .registry import provider_of

log = structlog.get_logger(__name__)

SECONDS = 20.0  # for one try
# Seconds after the first failure, the second …
WAITS = (2, 5, 15, 60, 300, 900, 3600, 7200, 4 * 3600)
PATIENCE = timedelta(days=1)
FILE_SIGNER = "carriers.file"
ACCOUNT = "account"
STOPPED, STOPPED_WORDS = "stopped", "This customer wants no more messages there (STOP)."


@dataclass(frozen=True)
class Tried:
    """One try at a dispatch."""

    dispatch: Dispatch
    result: Result

    @property
    def errand(self) -> Dispatch:
        return self.dispatch

    @property
    def was_answered(self) -> bool:
        return self.result.was_answered


def live_channels() -> Any:
    return Channel.objects.filter(is_active=True, carrier__is_active=True, center__is_active=True)


class Dispatches:
    """See outbox.clerk.Book."""

    lanes: Lanes[Dispatch] = Lanes(Dispatch, live_channels, ("channel__carrier", "channel__center", "account"))

    def prepare(self, claimed: Sequence[Dispatch]) -> None:
        chats = {row.chat_id for row in claimed}
        events = {
            (event.chat_id, event.position): event
            for event in Event.objects.filter(chat__in=chats, position__in={row.position for row in claimed})
        }
        ways = {way.chat_id: way for way in Carriage.objects.filter(chat__in=chats).select_related("chat")}
        wanted = {file["id"] for event in events.values() for file in event.data.get("attachments", [])}
        files = {str(one.pk): one for one in Attachment.objects.filter(pk__in=wanted)} if wanted else {}
        for row in claimed:
            event, way = events.get((row.chat_id, row.position)), ways.get(row.chat_id)
            row.parcel = _parcel(row, event, way, files) if event else None  # type: ignore[attr-defined]

    def do(self, errand: Any, sender: Sender, seconds: float) -> Tried:
        if errand.account.stopped_at:
            return Tried(errand, Result(error=STOPPED_WORDS, code=STOPPED))
        if errand.parcel is None:
            return Tried(errand, Result(error="The message is gone."))
        try:
            result = provider_of(errand.channel.carrier).send(errand.parcel, sender, seconds)
        except Exception:  # the outermost door of these threads
            log.exception("a message could not be sent", dispatch=str(errand.id))
            result = Result(error="It failed on our side.", again=True)
        return Tried(errand, result)

    def note(self, outcomes: Sequence[Tried], now: datetime) -> list[Dispatch]:
        settled = []
        for tried in outcomes:
            row = _note(tried, now)
            _note_beside(tried, now)
            if row is not None:
                settled.append(row)
        return settled


def _note(tried: Tried, now: datetime) -> Dispatch | None:
    """What became of one, with its chat's row locked; nothing when another has done it meanwhile."""
    claimed, result = tried.dispatch, tried.result
    with transaction.atomic():
        chat = lock_chat(Chat.objects, claimed.chat_id)  # first, as everywhere
        row = Dispatch.objects.select_for_update(no_key=True).filter(number=claimed.number).first()
        if row is None or row.sent_at is not None or row.leased_until != claimed.leased_until:
            return None
        row.leased_until, row.attempts_made = None, row.attempts_made + 1
        row.error = result.error[:300]
        again = next_try(row, now) if result.again else None
        if result.is_sent:
            row.sent_at, row.failed_at, row.external_id = now, None, result.external_id[:255]
            _keep_facts(row, result)
        elif again:
            row.due_at = again
        else:
            row.failed_at = now
            record(chat, MessageFailed(index=row.index, error=row.error, code=result.code), now=now)
        row.save()
        if row.sent_at and not provider_of(claimed.channel.carrier).tells_delivery:
            mark_delivered(customer_in(row.chat_id), row.index)
    return row


def _note_beside(tried: Tried, now: datetime) -> None:
    """What a try tells of the carrier and the address; outside the chat's lock, since what comes in takes them in the other order."""
    carrier, result = tried.dispatch.channel.carrier, tried.result
    if result.code == STOPPED:
        Account.objects.filter(pk=tried.dispatch.account_id, stopped_at=None).update(stopped_at=now)
    trouble = result.error[:300] if result.code == ACCOUNT else "" if result.is_sent else carrier.error
    if trouble != carrier.error:
        Carrier.objects.filter(pk=carrier.pk).update(**Carrier.trouble(trouble, now))


def next_try(row: Dispatch, now: datetime) -> datetime | None:
    """When a message that failed is sent again; None: never."""
    at = now + backoff(WAITS, row.attempts_made)
    return at if at <= row.filed_at + PATIENCE else None


@transaction.atomic
def send_again(chats: Any, chat_id: UUID, index: int, now: datetime) -> Dispatch | None:
    """A message that was given up is tried anew, on the way that its chat has now; None when there is none. Raises NotFound."""
    chat = lock_chat(chats, chat_id)
    row = chat.dispatches.exclude(failed_at=None).filter(index=index).first()
    way = Carriage.objects.filter(chat=chat).first()
    if row is None or way is None:
        return None
    row.channel_id, row.account_id = way.channel_id, way.account_id
    row.failed_at, row.error, row.fate, row.fate_at = None, "", Dispatch.Fate.NONE, None
    row.sent_at, row.external_id, row.due_at = None, "", now
    row.filed_at = now
    row.save()
    record(chat, MessageResent(index=row.index), now=now)
    do_soon("dispatch", row.channel_id)
    return row


def customer_in(chat_id: UUID) -> Participant:
    return Participant.objects.get(chat_id=chat_id, kind=Participant.Kind.CUSTOMER)


def _keep_facts(row: Dispatch, result: Result) -> None:
    way = Carriage.objects.filter(chat_id=row.chat_id, channel_id=row.channel_id).first() if result.facts else None
    if way is not None:
        way.facts = way.facts | dict(result.facts)
        way.save(update_fields=["facts"])


def _parcel(row: Dispatch, event: Event, way: Carriage | None, files: dict[str, Attachment]) -> Parcel:
    carrier = row.channel.carrier
    mine = way if way and way.channel_id == row.channel_id else None
    return Parcel(
        id=str(row.id),
        own=row.channel.address,
        address=row.account.address,
        text=_text(event),
        files=tuple(_files(event, files)),
        sender_name=event.sender_name,
        center_name=row.channel.center.name,
        language=way.chat.language if way else "",
        settings=carrier.settings,
        secrets=carrier.secrets,
        facts=mine.facts if mine else {},
        status_url=f"{settings.BASE_URL}/carriers/{carrier.provider}/{row.channel.key}/status",
        wrote_at=row.account.last_inbound_at,
    )


def _text(event: Event) -> str:
    links = [" ".join(filter(None, [link["name"], link["url"]])) for link in event.data.get("links", [])]
    return "\n".join([event.text, *links] if event.text else links)


def _files(event: Event, files: dict[str, Attachment]) -> Iterable[File]:
    for shown in event.data.get("attachments", []):
        kept = files.get(shown["id"])
        if kept:
            yield File(
                name=kept.name,
                content_type=kept.content_type,
                size=kept.size,
                path=str(kept.file.name),
                url=file_url(kept),
            )


def file_url(attachment: Attachment) -> str:
    """A signed address at which the network, or the customer's phone, fetches the file."""
    return f"{settings.BASE_URL}/carriers/files/{signing.Signer(salt=FILE_SIGNER).sign(str(attachment.pk))}"


courier = Courier(Dispatches(), seconds=SECONDS)
atexit.register(courier.stop)


def sweep(now: datetime) -> None:
    """What no wake-up reached, what is due again, what a dead process had claimed."""
    for channel_id in Dispatches.lanes.due_targets(now):
        courier.poke(channel_id)
