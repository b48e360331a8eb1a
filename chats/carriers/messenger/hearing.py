"""All events of a web hook's body, each stored once. What could not be stored makes the network send the body again."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

import structlog
from django.utils import timezone

from chats.actions.receive import Inbound, receive
from chats.carriers.fates import note_fate
from chats.errors import Refused, Unavailable
from chats.models import Carrier, Dispatch
from chats.outbox.lanes import LEASE
from contactcenter.models import Channel
from contactcenter.outage import is_outage

from .events import Report, fields_of, id_of, list_of, read_event

log = structlog.get_logger(__name__)

# We note the end of a call some moments after the network has given the message its time.
NOTED_WITHIN = timedelta(seconds=5)
BEHIND = {
    Dispatch.Fate.DELIVERED: [Dispatch.Fate.NONE],
    Dispatch.Fate.READ: [Dispatch.Fate.NONE, Dispatch.Fate.DELIVERED],
}


def find_carrier(key: str) -> Carrier | None:
    """The carrier of the channel with this public key, where it is in use."""
    return _in_use().filter(channel__key=key).first()


def hear(carrier: Carrier, body: Any) -> bool:
    """Store what the body (verified, of any shape) says. False: not all of it could be stored, it should come again."""
    is_whole = True
    held: set[tuple[Any, str]] = set()  # whose next message must not overtake one that will come again
    for channel, event in _events(carrier, fields_of(body)):
        heard = read_event(event, channel.address)
        if isinstance(heard, Report):
            is_whole &= _try(note_report, channel, heard)
        elif heard and (channel.pk, heard.address) not in held and not _try(receive, channel, heard):
            held.add((channel.pk, heard.address))
    return is_whole and not held


def note_report(channel: Channel, report: Report, *, now: datetime) -> None:
    """Raises Unavailable while the message that is told of may be one whose call has not ended: its id is not known yet."""
    known = [note_fate(channel, mid, report.fate, now=now) for mid in report.mids]
    mine = Dispatch.objects.filter(
        channel=channel, account__kind=channel.kind, account__address=report.person, account__center=channel.center_id
    )
    until = report.until or now
    if report.until:
        sent = mine.filter(sent_at__lte=until + NOTED_WITHIN, fate__in=BEHIND[report.fate]).exclude(external_id="")
        for external_id in sent.order_by("number").values_list("external_id", flat=True):
            note_fate(channel, external_id, report.fate, now=now)
    under_way = mine.filter(sent_at=None, failed_at=None, leased_until__gt=now, leased_until__lte=until + LEASE)
    if not (known and all(known)) and under_way.exists():
        raise Unavailable


def _events(carrier: Carrier, body: dict[str, Any]) -> Iterator[tuple[Channel, Any]]:
    """Those of our pages, in the order of the body. What another app has the say in (`standby`) is not among them."""
    pages: dict[str, Channel | None] = {}
    for entry in map(fields_of, list_of(body.get("entry")) if body.get("object") == "page" else []):
        page = id_of(entry.get("id"))
        if page not in pages:
            pages[page] = _channel_of(carrier, page)
        channel = pages[page]
        if channel:
            yield from ((channel, event) for event in list_of(entry.get("messaging")))


def _channel_of(carrier: Carrier, page: str) -> Channel | None:
    """An app has one web hook for all of its pages: those of this center that share the app's secret are heard here, too."""
    if not page:
        return None
    secret = carrier.secrets["app_secret"].encode()
    same = _in_use().filter(center=carrier.center_id, channel__address=page)
    kin = (one for one in same if compare_digest(one.secrets.get("app_secret", "").encode(), secret))
    found = next(kin, None)
    return found.channel if found else None


def _in_use() -> Any:
    return Carrier.objects.filter(
        provider=Carrier.Provider.MESSENGER, is_active=True, channel__is_active=True, center__is_active=True
    ).select_related("channel__center", "channel__team")


def _try(store: Callable[..., Any], channel: Channel, heard: Inbound | Report) -> bool:
    """Whether it was done. The outermost door of one event: the others of the body do not suffer with it."""
    try:
        store(channel, heard, now=timezone.now())
    except Refused as refusal:
        log.warning("a Messenger event has to come again", why=refusal.code)
    except Exception as error:
        if is_outage(error):
            log.warning("Messenger events wait for the database", why=repr(error)[:200])
        else:
            log.exception("a Messenger event could not be stored")
    else:
        return True
    return False
