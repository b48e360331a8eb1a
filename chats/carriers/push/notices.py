"""The outbox's book of push notices: devices are told one message of a chat after the other, and what became of it is noted."""

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from chats.models import AppSession, Carrier, PushNotice
from chats.outbox.courier import Courier
from chats.outbox.lanes import Lanes
from chats.outbox.schedule import backoff
from chats.outbox.sending import Sender

from . import apns, fcm
from .loading import TOO_LATE, plans_of
from .verdict import Letter, Verdict

log = structlog.get_logger(__name__)

# Seconds after the first failure, the second …; none an hour after the message.
WAITS = (2, 5, 15, 60, 300, 900)
KEPT = timedelta(days=30)
AT_ONCE, MOST_BATCHES = 500, 200


@dataclass(frozen=True)
class Tried:
    """One try at a notice, or why there was none."""

    notice: PushNotice
    verdict: Verdict

    @property
    def errand(self) -> PushNotice:
        return self.notice

    @property
    def was_answered(self) -> bool:
        return self.verdict.was_answered


class Notices:
    """See outbox.clerk.Book."""

    # Every session: those that are told no more say so themselves, and nothing waits for ever.
    lanes: Lanes[PushNotice] = Lanes(
        PushNotice, AppSession.objects.all, ("session", "chat__team", "channel__carrier", "channel__center")
    )

    def prepare(self, claimed: Sequence[PushNotice]) -> None:
        for row, plan in zip(claimed, plans_of(claimed, timezone.now()), strict=True):
            row.plan = plan  # type: ignore[attr-defined]

    def do(self, errand: Any, sender: Sender, seconds: float) -> Tried:
        if isinstance(errand.plan, Verdict):
            return Tried(errand, errand.plan)
        try:
            verdict = tell(errand.plan, sender, seconds)
        except Exception:  # the outermost door of these threads
            log.exception("a device could not be told", notice=str(errand.id))
            verdict = Verdict(error="It failed on our side.", again=True)
        return Tried(errand, verdict)

    def note(self, outcomes: Sequence[Tried], now: datetime) -> list[PushNotice]:
        settled = []
        for tried in outcomes:
            row = _note(tried, now)
            _note_beside(tried, now)
            if row is not None:
                settled.append(row)
        return settled


def tell(letter: Letter, sender: Sender, seconds: float) -> Verdict:
    """One call, by the service that the device's token is for."""
    return fcm.send(letter, sender, seconds) if "fcm" in letter.push else apns.send(letter, seconds)


@transaction.atomic
def _note(tried: Tried, now: datetime) -> PushNotice | None:
    """What became of one; nothing when another has done it meanwhile."""
    claimed, verdict = tried.notice, tried.verdict
    row = PushNotice.objects.select_for_update(no_key=True).filter(number=claimed.number).first()
    if row is None or row.is_done or row.leased_until != claimed.leased_until:
        return None
    row.leased_until = None
    if verdict.look_again is not None:
        row.due_at = now + verdict.look_again
        row.save()
        return row
    row.error = verdict.error[:300]
    row.attempts_made += 0 if isinstance(claimed.plan, Verdict) else 1  # type: ignore[attr-defined]
    again = _next_try(row, verdict, now) if verdict.again else None
    if not verdict.error:
        row.sent_at, row.external_id, row.skipped = now, verdict.external_id, verdict.is_skipped
    elif again:
        row.due_at = again
    else:
        row.failed_at = now
    row.save()
    return row


def _next_try(row: PushNotice, verdict: Verdict, now: datetime) -> datetime | None:
    at = now + max(backoff(WAITS, row.attempts_made), verdict.wait or timedelta())
    return at if at <= row.filed_at + TOO_LATE else None


def _note_beside(tried: Tried, now: datetime) -> None:
    """What a try tells of the device and of the carrier."""
    verdict, session = tried.verdict, tried.notice.session
    if verdict.is_gone:
        _forget(session, verdict.error)
    elif verdict.is_sent and session.push_error:
        AppSession.objects.filter(pk=session.pk).update(push_error="")
    carrier: Carrier | None = getattr(tried.notice.channel, "carrier", None)
    if carrier is None or not (verdict.is_account or (verdict.is_sent and _is_about(carrier.error, session))):
        return
    row = Carrier.objects.filter(pk=carrier.pk)
    if verdict.is_account:
        row.update(**Carrier.trouble(verdict.error, now))
    else:
        # What is said there may be newer than what was read when this was claimed.
        row.filter(error=carrier.error).update(**Carrier.trouble("", now))


def _is_about(error: str, session: AppSession) -> bool:
    """Whether the carrier's trouble is with the service that has just taken something: the other's does not end by it."""
    other = apns.NAME if "fcm" in session.push else fcm.NAME
    return bool(error) and not error.startswith(other)


@transaction.atomic
def _forget(session: AppSession, why: str) -> None:
    """The device, unless its app has just told another token."""
    row = AppSession.objects.select_for_update(no_key=True).filter(pk=session.pk).first()
    if row is not None and row.push == session.push:
        row.push, row.push_error = {}, why[:300]
        row.save(update_fields=["push", "push_error"])


courier = Courier(Notices())
atexit.register(courier.stop)


def sweep(now: datetime) -> None:
    """What is due, due again, or was claimed by a process that died."""
    for session_id in Notices.lanes.due_targets(now):
        courier.poke(session_id)


def tidy(now: datetime) -> int:
    """Erase what is settled and older than a month, the oldest first; how many. The next run takes what is left."""
    old = PushNotice.objects.filter(filed_at__lte=now - KEPT).exclude(sent_at=None, failed_at=None)
    erased = 0
    for _batch in range(MOST_BATCHES):
        numbers = list(old.order_by("number").values_list("number", flat=True)[:AT_ONCE])
        PushNotice.objects.filter(number__in=numbers).delete()
        erased += len(numbers)
        if len(numbers) < AT_ONCE:
            break
    return erased
