"""What a provider tells of a mail that it took."""

from datetime import datetime
from typing import Any

import structlog
from anymail.signals import EventType  # type: ignore[import-untyped]

from chats.carriers.fates import note_fate
from chats.carriers.mail.charsets import clean
from chats.carriers.mail.compose import dispatch_in
from chats.errors import Unavailable
from chats.models import Account, Dispatch
from contactcenter.models import Channel

from .vendors import DISPATCH

log = structlog.get_logger(__name__)

# What is not here says nothing that we note: queued, deferred (it will be tried again), opened …
FATES = {
    EventType.DELIVERED: Dispatch.Fate.DELIVERED,
    EventType.BOUNCED: Dispatch.Fate.LOST,
    EventType.REJECTED: Dispatch.Fate.LOST,
    EventType.FAILED: Dispatch.Fate.LOST,
}


def note_event(channel: Channel, event: Any, now: datetime) -> None:
    """Harmless for what is not ours. Raises Unavailable while its message is being sent, and its id not known yet."""
    row = _find(channel, event)
    if row is None:
        return
    fate = FATES.get(event.event_type)
    if event.event_type == EventType.COMPLAINED:
        # The provider will take no mail to this address any more, and who calls us spam wants none.
        Account.objects.filter(pk=row.account_id, stopped_at=None).update(stopped_at=now)
    elif fate is not None and row.sent_at is None:
        raise Unavailable
    elif fate is not None:
        error = f"This mail could not be delivered: {_why(event)}" if fate == Dispatch.Fate.LOST else ""
        note_fate(channel, row.external_id, fate, error=error, now=now)


def _find(channel: Channel, event: Any) -> Dispatch | None:
    """By the provider's id, else by ours, which it gives back."""
    mine = Dispatch.objects.filter(channel=channel)
    shown = [event.message_id, event.metadata.get(DISPATCH) if isinstance(event.metadata, dict) else None]
    names = [name for name in shown if isinstance(name, str) and 0 < len(name) <= 255 and clean(name) == name]
    for name in names:
        if row := mine.filter(external_id=name).first():
            return row
    ours = [found for name in names if (found := dispatch_in(name))]
    return mine.filter(id__in=ours, failed_at=None).first() if ours else None


def _why(event: Any) -> str:
    said = (event.mta_response, event.description, event.reject_reason)
    words = next((one for one in said if isinstance(one, str) and one.strip()), "the address does not take it")
    return " ".join(clean(words[:1000]).split())[:250]
