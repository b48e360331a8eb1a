"""Which calls may be made now. The calls to one address about one chat are a lane: only its oldest may go, the others wait behind it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Min, OuterRef

from chats.models import Delivery, Webhook

from .sending import SECONDS

SCANNED = 200  # calls found at once
# Whoever claimed a call and is not heard of for so long has died: another makes the same call again.
LEASE = timedelta(seconds=SECONDS + 20)


def due_webhooks(now: datetime) -> list[UUID]:
    """Live web hooks for which something is due, even if it may wait behind another call."""
    due = Delivery.objects.due(now).filter(webhook=OuterRef("pk")).order_by()
    return list(Webhook.objects.live().filter(Exists(due)).order_by().values_list("pk", flat=True))


def scan(webhook_id: UUID, now: datetime) -> list[int]:
    """Numbers of calls that may be made now, the longest due first; at most SCANNED.

    The oldest of each lane comes from one walk along the index: asking of each call whether an older one waits would take for ever when a
    receiver was away for a day.
    """
    pending = Delivery.objects.pending().filter(webhook_id=webhook_id)
    lanes = pending.exclude(chat=None).order_by().values("chat").annotate(oldest=Min("number")).values("oldest")
    free = Delivery.objects.due(now).free(now).order_by("due_at", "number")
    found = [
        *free.filter(number__in=lanes).values_list("due_at", "number")[:SCANNED],
        *free.filter(webhook_id=webhook_id, chat=None).values_list("due_at", "number")[:SCANNED],
    ]
    return [number for _, number in sorted(found)[:SCANNED]]


@transaction.atomic
def claim(numbers: Collection[int], now: datetime) -> list[Delivery]:
    """Take those of these calls that may (still) be made, for LEASE: nobody else makes them meanwhile. With web hook and registration loaded."""
    mine = (
        Delivery.objects.heads(now)
        .filter(number__in=numbers, webhook__in=Webhook.objects.live())
        .select_related("webhook__registration")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
    )
    claimed = list(mine)
    until = now + LEASE
    Delivery.objects.filter(number__in=[row.number for row in claimed]).update(leased_until=until)
    for row in claimed:
        row.leased_until = until
    return claimed


def following(settled: Sequence[Delivery]) -> list[tuple[UUID, int]]:
    """(web hook, number) of what comes next in the lanes of these calls."""
    lanes = {(row.webhook_id, row.chat_id) for row in settled if row.chat_id}
    if not lanes:
        return []
    rows = (
        Delivery.objects.pending()
        .filter(webhook_id__in={webhook for webhook, _ in lanes}, chat_id__in={chat for _, chat in lanes})
        .order_by()
        .values_list("webhook_id", "chat_id")
        .annotate(oldest=Min("number"))
    )
    return [(webhook, number) for webhook, chat, number in rows if (webhook, chat) in lanes]
