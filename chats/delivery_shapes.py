"""How a chat travels to its customer, as staff see it: by a carrier of ours, or by a connector."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, OuterRef, QuerySet, Subquery, When

from contactcenter.models import Channel

from .models import Carriage, Carrier, Chat, Dispatch, ForeignChat
from .stamps import stamp

# Characters of one message; carriers.provider.Provider.most_text says the same.
MOST_TEXT: dict[str, int] = {Carrier.Provider.TWILIO: 1600, Carrier.Provider.MESSENGER: 2000}
# A page may answer for so long after its customer's last message (Messenger Platform, standard messaging window).
WINDOWS: dict[str, timedelta] = {Carrier.Provider.MESSENGER: timedelta(hours=24)}
UNREAD = ("kept_secrets", "settings", "bookmark")  # of a carrier: nobody decrypts what is not shown


def with_delivery(chats: "QuerySet[Chat]") -> "QuerySet[Chat]":
    """Chats with all that `delivery_of` reads, in no query more."""
    chats = chats.select_related("foreign__connector", "carriage__account", "channel__carrier")
    chats = chats.defer(*(f"channel__carrier__{name}" for name in UNREAD))
    # Most chats do not travel, and nothing is looked up for them.
    return chats.annotate(dispatch_owed_since=Case(When(is_carried=True, then=_owed_since("pk"))))


def delivery_of(chat: Any, now: datetime) -> dict[str, Any] | None:
    """Of a chat that came through `with_delivery`; None where it does not travel."""
    if chat.is_carried and hasattr(chat, "carriage"):
        return by_carrier(chat.carriage, chat.channel, chat.dispatch_owed_since)
    return by_connector(chat.foreign, now) if chat.is_foreign and hasattr(chat, "foreign") else None


def deliveries_of(chats: Iterable[tuple[UUID, bool, bool]], now: datetime) -> dict[UUID, dict[str, Any] | None]:
    """The same for many by (id, is_foreign, is_carried): a query where any is a foreign API's, and one where any travels."""
    chats = list(chats)
    found: dict[UUID, dict[str, Any] | None] = {}
    if foreign := [chat_id for chat_id, is_foreign, _ in chats if is_foreign]:
        rows = ForeignChat.objects.filter(chat_id__in=foreign, connector__isnull=False)
        found |= {row.chat_id: by_connector(row, now) for row in rows.select_related("connector").defer("facts")}
    if carried := [chat_id for chat_id, _, is_carried in chats if is_carried]:
        ways: QuerySet[Any] = Carriage.objects.filter(chat_id__in=carried).annotate(owed=_owed_since("chat_id"))
        ways = ways.select_related("channel__carrier", "account")
        ways = ways.defer("facts", *(f"channel__carrier__{name}" for name in UNREAD))
        found |= {way.chat_id: by_carrier(way, way.channel, way.owed) for way in ways}
    return found


def by_connector(foreign: ForeignChat, now: datetime) -> dict[str, Any] | None:
    """None where no connector carries the chat. The row comes with its connector."""
    connector = foreign.connector
    if connector is None:
        return None
    return {
        "carrier": "connector",
        "connector": str(connector),
        "account": foreign.account,
        # A connector whose process died is away before the sweep has written so.
        "away_since": None if connector.is_there(now) else stamp(connector.away_since or connector.held_until),
        "owed_since": stamp(foreign.owed_since),
        "most_text": None,
        "window_ends_at": None,
        "stopped": False,
    }


def by_carrier(way: Carriage, channel: Channel, owed_since: datetime | None) -> dict[str, Any] | None:
    """None where the channel has no carrier any more. The channel comes with its carrier, the carriage with its account."""
    carrier: Carrier | None = getattr(channel, "carrier", None)
    if carrier is None:
        return None
    window, wrote_at = WINDOWS.get(carrier.provider), way.account.last_inbound_at
    return {
        "carrier": str(carrier.provider),
        "connector": channel.name,
        "account": way.account.address,
        "away_since": stamp(_away_since(carrier, channel, owed_since)),
        "owed_since": stamp(owed_since),
        "most_text": MOST_TEXT.get(carrier.provider),
        "window_ends_at": stamp(wrote_at + window) if window and wrote_at else None,
        "stopped": way.account.stopped_at is not None,
    }


def _away_since(carrier: Carrier, channel: Channel, owed_since: datetime | None) -> datetime | None:
    """Since when it is in trouble; for one that is switched off, since when something waits for it."""
    if carrier.error:
        return carrier.troubled_since or carrier.created_at
    return None if carrier.is_active and channel.is_active else owed_since


def _owed_since(chat: str) -> Subquery:
    """When the oldest message that still waits was filed."""
    pending = Dispatch.objects.pending().filter(chat_id=OuterRef(chat))
    return Subquery(pending.order_by("filed_at").values("filed_at")[:1])
