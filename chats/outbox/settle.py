"""What became of calls: sent, tried again later, or given up. And 410: the receiver wants no more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from chats.models import Attempt, Delivery, Webhook
from contactcenter import audit

from .schedule import next_attempt
from .sending import Answer

log = structlog.get_logger(__name__)

GONE = 410
WANTS_NO_MORE = "The receiver answered 410: it wants no more."
AT_ONCE = 1000  # rows in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt: `delivery` as it was claimed, begun `at`."""

    delivery: Delivery
    at: datetime
    milliseconds: int
    answer: Answer


@transaction.atomic
def note(outcomes: Sequence[Outcome], now: datetime) -> list[Delivery]:
    """Write attempts down, and what follows from them. Returns the deliveries as they are now, without those that are nobody's or another's business by now."""
    locked = Delivery.objects.filter(number__in=[outcome.delivery.number for outcome in outcomes]).order_by("number")
    rows = {row.number: row for row in locked.select_for_update(no_key=True)}
    known = [outcome for outcome in outcomes if outcome.delivery.number in rows]
    Attempt.objects.bulk_create([_attempt(outcome) for outcome in known])
    # Whoever outlived its lease has been replaced: the attempt is kept, the rest is up to the other.
    mine = [outcome for outcome in known if _is_mine(outcome, rows[outcome.delivery.number])]
    settled = [_settle(rows[outcome.delivery.number], outcome.answer, now) for outcome in mine]
    Delivery.objects.bulk_update(settled, ["leased_until", "attempts_made", "sent_at", "failed_at", "due_at", "error"])
    _switch_off((outcome.delivery.webhook for outcome in mine if outcome.answer.status == GONE), now)
    return settled


def give_up_unwanted(now: datetime) -> int:
    """What waits for receivers that answered 410, a bounded number; the next sweep takes the rest."""
    off = Webhook.objects.exclude(disabled_at=None).values_list("pk", flat=True)
    numbers = list(Delivery.objects.pending().filter(webhook__in=list(off)).values_list("number", flat=True)[:AT_ONCE])
    still = Delivery.objects.pending().filter(number__in=numbers)
    return still.update(failed_at=now, error=WANTS_NO_MORE) if numbers else 0


def _attempt(outcome: Outcome) -> Attempt:
    return Attempt(
        center_id=outcome.delivery.center_id,
        delivery_id=outcome.delivery.id,
        at=outcome.at,
        milliseconds=outcome.milliseconds,
        status=outcome.answer.status,
        error=outcome.answer.error,
        body=outcome.answer.kept_body,
    )


def _is_mine(outcome: Outcome, row: Delivery) -> bool:
    return row.sent_at is None and row.leased_until == outcome.delivery.leased_until


def _settle(row: Delivery, answer: Answer, now: datetime) -> Delivery:
    row.leased_until = None
    row.attempts_made += 1
    if answer.is_ok:
        row.sent_at, row.failed_at, row.error = now, None, ""
        return row
    row.error = answer.error or f"Answered {answer.status}."
    again = None if answer.status == GONE else next_attempt(row.attempts_made, row.filed_at, now)
    if again and row.failed_at is None:
        row.due_at = again
    else:
        row.failed_at = row.failed_at or now
        log.warning("web hook call given up", delivery=str(row.id), webhook=str(row.webhook_id), why=row.error)
    return row


def _switch_off(webhooks: Iterable[Webhook], now: datetime) -> None:
    for called in {webhook.pk: webhook for webhook in webhooks}.values():
        # Only the address that said so: meanwhile it may have been moved to another.
        still = Webhook.objects.kept().filter(pk=called.pk, url=called.url, disabled_at=None)
        if still.update(disabled_at=now, disabled_reason=WANTS_NO_MORE):
            log.warning("web hook switched off", webhook=str(called.pk))
            audit.note("web hook switched off", actor="its receiver", center=called.center, subject=called)
