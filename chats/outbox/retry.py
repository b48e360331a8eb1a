"""'Try again', by an administrator or a program: what was given up, or waits for its next time, is due now."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chats.due import do_soon
from chats.errors import Conflict
from chats.models import Delivery, Webhook

AT_ONCE = 1000  # rows in one statement


def retry(delivery: Delivery, now: datetime) -> None:
    """Make one delivery due with its old id and number. Raises Conflict when its web hook is off, or when it has arrived."""
    _check_is_live(delivery.webhook_id)
    if not _revive(Q(pk=delivery.pk), now):
        raise Conflict(_("This has arrived already."))
    do_soon("deliver", delivery.webhook_id)


def retry_all(webhook: Webhook, now: datetime) -> int:
    """All that is missing at one address, the oldest first; how many. Raises Conflict when it is off."""
    _check_is_live(webhook.pk)
    missing = Delivery.objects.filter(webhook=webhook, sent_at=None).order_by("number").values_list("number", flat=True)
    done, last = 0, 0
    # In order: a courier at work between two of these statements finds the older ones of a chat first.
    while numbers := list(missing.filter(number__gt=last)[:AT_ONCE]):
        done += _revive(Q(number__in=numbers), now)
        last = numbers[-1]
    do_soon("deliver", webhook.pk)
    return done


def _revive(which: Q, now: datetime) -> int:
    """Pending again, as if it had never been tried: one that is given up once more was tried a few times before."""
    return Delivery.objects.filter(which, sent_at=None).update(failed_at=None, due_at=now, attempts_made=0)


def _check_is_live(webhook_id: UUID) -> None:
    if not Webhook.objects.live().filter(pk=webhook_id).exists():
        raise Conflict(_("This web hook is off. Switch it on first."))
