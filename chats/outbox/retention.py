"""What is thrown away, a bounded number at a time: what was sent after a month, what was given up after three, and all of deleted web hooks."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from chats.models import Attempt, Delivery, Webhook

from .schedule import PATIENCE

SENT_KEPT = timedelta(days=30)
DEAD_KEPT = timedelta(days=90)
AT_ONCE = 500  # deliveries in one transaction
MOST_BATCHES = 200  # of one web hook in one run
DELETED_KEPT = timedelta(hours=1)  # no transaction that still files for it lasts that long
OFF_TOO_LONG = "The web hook was off for three days."


def tidy(now: datetime) -> int:
    """Give up what has waited too long for a web hook that is off, and erase what is old or was deleted; how many were erased."""
    give_up_forgotten(now)
    return erase_deleted(now) + sum(
        erase_old(webhook_id, now) for webhook_id in Webhook.objects.order_by().values_list("pk", flat=True)
    )


def erase_old(webhook_id: UUID, now: datetime) -> int:
    """What was filed for one web hook and is past its time; how many. The next run takes what is left."""
    is_old = Q(sent_at__lte=now - SENT_KEPT) | Q(failed_at__lte=now - DEAD_KEPT)
    # The time of filing adds nothing but the index that finds them.
    old = Delivery.objects.filter(is_old, webhook_id=webhook_id, filed_at__lte=now - SENT_KEPT)
    erased = 0
    for _batch in range(MOST_BATCHES):
        numbers = list(old.order_by("filed_at", "number").values_list("number", flat=True)[:AT_ONCE])
        erase(numbers)
        erased += len(numbers)
        if len(numbers) < AT_ONCE:
            break
    return erased


def erase_deleted(now: datetime) -> int:
    """Deleted web hooks with all that was filed for them; how many deliveries. The next run takes what is left."""
    deleted = Webhook.objects.filter(deleted_at__lte=now - DELETED_KEPT)
    erased = 0
    for _batch in range(MOST_BATCHES):
        numbers = list(Delivery.objects.filter(webhook__in=deleted).values_list("number", flat=True)[:AT_ONCE])
        if not numbers:
            deleted.delete()
            break
        erase(numbers)
        erased += len(numbers)
    return erased


def give_up_forgotten(now: datetime) -> int:
    """Nobody sends for a web hook that is off. What was filed for it stays for three days, should it be switched on again."""
    off = Webhook.objects.exclude(pk__in=Webhook.objects.live().values("pk"))
    forgotten = Delivery.objects.pending().filter(webhook__in=off, filed_at__lte=now - PATIENCE)
    return forgotten.update(failed_at=now, error=OFF_TOO_LONG)


@transaction.atomic
def erase(numbers: list[int]) -> None:
    """Deliveries with their attempts."""
    Attempt.objects.filter(delivery__number__in=numbers).delete()
    Delivery.objects.filter(number__in=numbers).delete()
