"""What became of calls: sent, tried again later, or given up. And 410: the receiver wants no more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

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

    @property
    def errand(self) -> Delivery:
        return self.delivery

    @property
    def was_answered(self) -> bool:
        return self.answer.status is not None


@transaction.atomic
def note(outcomes: Sequence[Outcome], now: datetime) -> list[Delivery]:
    """Write attempts down, and what follows from them. Returns the deliveries as they are now, without those that are nobody's or another's business by now."""
    locked = Delivery.objects.filter(number__in=[outcome.delivery.number for outcome in outcomes]).order_by("number")
    rows = {row.number: row for row in locked.select_for_update(no_key=True)}
    known = [outcome for outcome in outcomes if outcome.delivery.number in rows]
    Attempt.objects.bulk_create([_attempt(outcome) for outcome in known])
    # Whoever outlived its lease has been replaced: the attempt is kept, the rest is up to the other.
    mine = [(outcome, rows[outcome.delivery.number]) for outcome in known if _is_mine(outcome, rows)]
    sent = [row for outcome, row in mine if outcome.answer.is_ok]
    _note_sent(sent, now)
    for outcome, row in mine:
        if not outcome.answer.is_ok:
            _note_failed(row, outcome.answer, now)
    _switch_off((outcome.delivery.webhook for outcome, _ in mine if outcome.answer.status == GONE), now)
    return [row for _, row in mine]


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


def _is_mine(outcome: Outcome, rows: dict[int, Delivery]) -> bool:
    row = rows[outcome.delivery.number]
    return row.sent_at is None and row.leased_until == outcome.delivery.leased_until


def _note_sent(rows: Sequence[Delivery], now: datetime) -> None:
    """All of them in one statement: nearly all calls end here."""
    fields: dict[str, Any] = {"sent_at": now, "failed_at": None, "leased_until": None, "error": ""}
    numbers = [row.number for row in rows]
    Delivery.objects.filter(number__in=numbers).update(**fields, attempts_made=F("attempts_made") + 1)
    for row in rows:
        for name, value in fields.items():
            setattr(row, name, value)
        row.attempts_made += 1


def _note_failed(row: Delivery, answer: Answer, now: datetime) -> None:
    row.leased_until = None
    row.attempts_made += 1
    row.error = answer.error or f"Answered {answer.status}."
    again = None if answer.status == GONE else next_attempt(row.attempts_made, row.filed_at, now)
    if again and row.failed_at is None:
        row.due_at = again
    else:
        row.failed_at = row.failed_at or now
        log.warning("web hook call given up", delivery=str(row.id), webhook=str(row.webhook_id), why=row.error)
    row.save(update_fields=["leased_until", "attempts_made", "error", "due_at", "failed_at"])


def _switch_off(webhooks: Iterable[Webhook], now: datetime) -> None:
    for called in {webhook.pk: webhook for webhook in webhooks}.values():
        # Only the address that said so: meanwhile it may have been moved to another.
        still = Webhook.objects.kept().filter(pk=called.pk, url=called.url, disabled_at=None)
        if still.update(disabled_at=now, disabled_reason=WANTS_NO_MORE):
            log.warning("web hook switched off", webhook=str(called.pk))
            audit.note("web hook switched off", actor="its receiver", center=called.center, subject=called)
