"""What became of calls: sent, tried again later, or given up. And what an answer means to whom (schedule.MANNERS): 410, say, that the receiver wants no more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from chats.models import Attempt, Delivery, Webhook
from contactcenter import audit

from .schedule import Manners, manners_of
from .sending import Answer

log = structlog.get_logger(__name__)

WANTS_NO_MORE = "The receiver answered 410: it wants no more."
AT_ONCE = 1000  # rows in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt: `delivery` as it was claimed, perhaps with companions, begun `at`."""

    delivery: Delivery
    at: datetime
    milliseconds: int
    answer: Answer

    @property
    def errand(self) -> Delivery:
        return self.delivery

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All that went in this call."""
        return (self.delivery, *self.delivery.companions)

    @property
    def manners(self) -> Manners:
        registration = self.delivery.webhook.registration
        return manners_of(registration.protocol if registration else "")

    @property
    def was_answered(self) -> bool:
        return self.answer.status is not None


@transaction.atomic
def note(outcomes: Sequence[Outcome], now: datetime) -> list[Delivery]:
    """Write attempts down, and what follows from them. Returns the deliveries as they are now (of several that went together the first), without those that are nobody's or another's business by now."""
    claimed = [one for outcome in outcomes for one in outcome.deliveries]
    locked = Delivery.objects.filter(number__in=[one.number for one in claimed]).order_by("number")
    rows = {row.number: row for row in locked.select_for_update(no_key=True)}
    Attempt.objects.bulk_create(
        [_attempt(outcome, one) for outcome in outcomes for one in outcome.deliveries if one.number in rows]
    )
    # Whoever outlived its lease has been replaced: the attempt is kept, the rest is up to the other.
    own = [(outcome, [rows[one.number] for one in outcome.deliveries if _is_mine(one, rows)]) for outcome in outcomes]
    mine = [(outcome, kept) for outcome, kept in own if kept]
    _note_sent([row for outcome, kept in mine if outcome.answer.is_ok for row in kept], now)
    for outcome, kept in mine:
        if not outcome.answer.is_ok:
            _note_failed(outcome, kept, now)
    _switch_off((one.delivery.webhook for one, _ in mine if one.answer.status in one.manners.ends), now)
    return [kept[0] for _, kept in mine]


def give_up_unwanted(now: datetime) -> int:
    """What waits for receivers that answered 410, a bounded number; the next sweep takes the rest."""
    off = Webhook.objects.exclude(disabled_at=None).values_list("pk", flat=True)
    numbers = list(Delivery.objects.pending().filter(webhook__in=list(off)).values_list("number", flat=True)[:AT_ONCE])
    still = Delivery.objects.pending().filter(number__in=numbers)
    return still.update(failed_at=now, error=WANTS_NO_MORE) if numbers else 0


def _attempt(outcome: Outcome, delivery: Delivery) -> Attempt:
    return Attempt(
        center_id=delivery.center_id,
        delivery_id=delivery.id,
        at=outcome.at,
        milliseconds=outcome.milliseconds,
        status=outcome.answer.status,
        error=outcome.answer.error,
        body=outcome.answer.kept_body,
    )


def _is_mine(claimed: Delivery, rows: dict[int, Delivery]) -> bool:
    row = rows.get(claimed.number)
    return row is not None and row.sent_at is None and row.leased_until == claimed.leased_until


def _note_sent(rows: Sequence[Delivery], now: datetime) -> None:
    """All of them in one statement: nearly all calls end here."""
    fields: dict[str, Any] = {"sent_at": now, "failed_at": None, "leased_until": None, "error": ""}
    numbers = [row.number for row in rows]
    Delivery.objects.filter(number__in=numbers).update(**fields, attempts_made=F("attempts_made") + 1)
    for row in rows:
        for name, value in fields.items():
            setattr(row, name, value)
        row.attempts_made += 1


def _note_failed(outcome: Outcome, rows: Sequence[Delivery], now: datetime) -> None:
    """All that went together comes again together, or is given up together."""
    error = outcome.answer.error or f"Answered {outcome.answer.status}."
    again = _next(outcome, rows[0], now)
    for row in rows:
        row.leased_until, row.error = None, error
        row.attempts_made += 1
        if again and row.failed_at is None:
            row.due_at = again
        else:
            row.failed_at = row.failed_at or now
            log.warning("web hook call given up", delivery=str(row.id), webhook=str(row.webhook_id), why=error)
    Delivery.objects.bulk_update(rows, ["leased_until", "attempts_made", "error", "due_at", "failed_at"])


def _next(outcome: Outcome, row: Delivery, now: datetime) -> datetime | None:
    """The moment of the next attempt; None: there is none."""
    manners = outcome.manners
    if outcome.answer.status in manners.drops | manners.ends:
        return None
    return manners.next_attempt(row.attempts_made + 1, row.filed_at, now)


def _switch_off(webhooks: Iterable[Webhook], now: datetime) -> None:
    for called in {webhook.pk: webhook for webhook in webhooks}.values():
        # Only the address that said so: meanwhile it may have been moved to another.
        still = Webhook.objects.kept().filter(pk=called.pk, url=called.url, disabled_at=None)
        if still.update(disabled_at=now, disabled_reason=WANTS_NO_MORE):
            log.warning("web hook switched off", webhook=str(called.pk))
            audit.note("web hook switched off", actor="its receiver", center=called.center, subject=called)
