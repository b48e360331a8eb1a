"""What was filed, page by page, for programs that read instead of listening (or that were away).

Numbers and times of different transactions become visible out of order: who has read up to ten may find nine committed later. So a page ends
before the start of the oldest transaction that still runs: `filed_at` is the time of the insertion, which is never before its transaction's start.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from chats.errors import Invalid
from chats.models import Delivery, Webhook

BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
HORIZON = """
SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
Key = tuple[datetime, int]  # (filed_at, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Deliveries in the order of filing, with web hook and attempts loaded. `next` is what to ask with for more, also when there is none yet."""

    rows: list[Delivery]
    next: str


def page(webhooks: QuerySet[Webhook], since: str, limit: int, state: str = "") -> Page:
    """The first deliveries of these web hooks after `since`: the `next` of another page, a time (ISO 8601, that moment included), or empty for all.

    `state`: only those that are now in this one (Delivery.state). Raises Invalid for any other `since`.
    """
    after = read_cursor(since)
    until = horizon()
    # One walk along the index for each web hook: together they would be sorted as a whole for each page.
    ids = webhooks.order_by().values_list("pk", flat=True)
    walks = [_keys(webhook_id, after, until, state)[:limit] for webhook_id in ids]
    keys = list(islice(merge(*walks), limit))
    found = Delivery.objects.filter(number__in=[number for _, number in keys]).order_by("filed_at", "number")
    rows = list(found.select_related("webhook").prefetch_related("attempts"))
    return Page(rows=rows, next=write_cursor(keys[-1] if keys else after))


def horizon() -> datetime:
    """Nothing filed before this moment can still appear."""
    if connection.vendor != "postgresql":
        return timezone.now()  # one writer: what it files is later than all that can be seen
    with connection.cursor() as cursor:
        cursor.execute(HORIZON)
        (oldest,) = cursor.fetchone()
    return oldest  # type: ignore[no-any-return]


def read_cursor(since: str) -> Key:
    """The key after which to read. Raises Invalid."""
    if not since:
        return BEGINNING, 0
    if at := _time(since):
        return at, 0
    try:
        at_text, _bar, number = urlsafe_b64decode(since.encode()).decode().partition("|")
        if number.isdecimal() and int(number) < 2**63 and (at := _time(at_text)):
            return at, int(number)
    except ValueError:
        pass
    raise Invalid(fields={"since": _("Give a time (2026-11-21T09:00:00Z) or the `next` of another page.")})


def write_cursor(key: Key) -> str:
    return urlsafe_b64encode(f"{key[0].isoformat()}|{key[1]}".encode()).decode()


def _time(text: str) -> datetime | None:
    try:
        at = parse_datetime(text)
    except ValueError:
        return None
    # Times near the ends of the calendar cannot be moved to another zone.
    return min(max(at if at.tzinfo else at.replace(tzinfo=UTC), BEGINNING), END) if at else None


def _keys(webhook_id: UUID, after: Key, until: datetime, state: str) -> "QuerySet[Delivery, Key]":
    at, number = after
    deliveries = Delivery.objects.in_state(state) if state else Delivery.objects.all()
    later = Q(filed_at__gt=at) | Q(number__gt=number)
    rows = deliveries.filter(later, webhook_id=webhook_id, filed_at__gte=at, filed_at__lt=until)
    return rows.order_by("filed_at", "number").values_list("filed_at", "number")
