"""Several calls in one: web hooks whose client wants an array of what happened, when enough of it is there or it has waited long enough.

Deliveries are filed one by one, due when the batch's time is over. A batch is made up when it is claimed: of those that nobody has tried yet
the oldest, as many as fit, ready as soon as there are so many or one of them is due. Of one chat and one address nothing overtakes what came
before it: while one waits for its next attempt or is under way, the later ones of its chat are in no batch.

All of a batch has one fate. What failed together is due again at the same moment, to the microsecond, by which it is known as that batch.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q

from chats.models import Delivery, Webhook

from .lanes import LEASE, SCANNED, Lanes

LARGEST, LONGEST = 500, 60  # calls in one, and seconds that one waits for others
USUAL_SIZE, USUAL_SECONDS = 100, 10
AHEAD = 8  # batches that are looked for at once


def is_batched(webhook: Webhook) -> bool:
    return bool(webhook.facts.get("batch"))


def size_of(webhook: Webhook) -> int:
    return min(webhook.facts.get("maxBatchSize") or USUAL_SIZE, LARGEST)


def wait_of(webhook: Webhook) -> timedelta:
    """How long what is filed for it now may wait for others."""
    seconds = (webhook.facts.get("batchTimeout") or USUAL_SECONDS) if is_batched(webhook) else 0
    return timedelta(seconds=min(seconds, LONGEST))


@dataclass(frozen=True)
class CallLanes(Lanes[Delivery]):
    """Calls to web hooks, one by one or in batches. Of a batch the first stands for all; the others are its `companions`."""

    def scan(self, target_id: UUID, now: datetime) -> list[int]:
        webhook = _batched([target_id]).first()
        return super().scan(target_id, now) if webhook is None else _scan(webhook, now)

    def next_due(self, target_id: UUID, now: datetime) -> tuple[int, datetime] | None:
        webhook = _batched([target_id]).first()
        if webhook is None:
            return None
        fresh = _pending(webhook).filter(attempts_made=0, leased_until=None, due_at__gt=now)
        return fresh.order_by("due_at", "number").values_list("number", "due_at").first()  # type: ignore[no-any-return]

    @transaction.atomic
    def claim(self, numbers: Collection[int], now: datetime) -> list[Delivery]:
        asked = Delivery.objects.filter(number__in=numbers, webhook__facts__batch=True)
        first_of = dict(asked.values_list("number", "webhook_id"))
        claimed = super().claim([number for number in numbers if number not in first_of], now)
        if first_of:
            # One at a time makes up batches for a web hook: two would tear one that has failed apart.
            locked = _batched(first_of.values()).order_by("pk").select_for_update(no_key=True, of=("self",))
            hooks = {hook.pk: hook for hook in locked.select_related("registration")}
            for number, webhook_id in sorted(first_of.items()):
                if webhook_id in hooks:
                    claimed += _claim_batch(hooks[webhook_id], number, now)
        return claimed

    def following(self, settled: Sequence[Delivery]) -> list[tuple[UUID, int | None]]:
        batched = set(_batched({row.webhook_id for row in settled}).values_list("pk", flat=True)) if settled else set()
        single = super().following([row for row in settled if row.webhook_id not in batched])
        return [*single, *((webhook_id, None) for webhook_id in batched)]


def _batched(webhook_ids: Collection[UUID]) -> Any:
    return Webhook.objects.live().filter(pk__in=webhook_ids, facts__batch=True)


def _pending(webhook: Webhook) -> Any:
    return Delivery.objects.pending().filter(webhook=webhook)


def _open(webhook: Webhook, now: datetime) -> Any:
    """Those that may go into a new batch, in their order: not tried yet, and behind no other of their chat that was or is being tried."""
    heads = _pending(webhook).exclude(chat=None).order_by().values("chat").annotate(oldest=Min("number"))
    tried = Q(attempts_made__gt=0) | Q(leased_until__gt=now)
    closed = _pending(webhook).filter(tried, number__in=heads.values("oldest")).values("chat")
    may = _pending(webhook).filter(Q(chat=None) | ~Q(chat__in=closed), attempts_made=0)
    return may.free(now).order_by("number")


def _failed(webhook: Webhook, now: datetime) -> Any:
    """Those whose next attempt is due."""
    return _pending(webhook).free(now).filter(attempts_made__gt=0, due_at__lte=now)


def _scan(webhook: Webhook, now: datetime) -> list[int]:
    """The first number of each batch that is ready."""
    again = _failed(webhook, now).order_by().values("due_at", "attempts_made").annotate(first=Min("number"))
    found = list(again.values_list("first", flat=True).order_by("first")[: SCANNED // 2])
    size = size_of(webhook)
    rows = list(_open(webhook, now).values_list("number", "due_at")[: size * AHEAD])
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        if _is_ready([due_at for _, due_at in part], size, now):
            found.append(part[0][0])
    return found


def _is_ready(due: Collection[datetime], size: int, now: datetime) -> bool:
    return len(due) >= size or any(at <= now for at in due)


def _claim_batch(webhook: Webhook, number: int, now: datetime) -> list[Delivery]:
    """The batch that is ready for this web hook now: the failed one to which this number belongs, or the next new one. Empty, or its first."""
    asked = _pending(webhook).filter(number=number).first()
    if asked is None:
        return []
    if asked.attempts_made:
        same = _failed(webhook, now).filter(due_at=asked.due_at, attempts_made=asked.attempts_made)
        rows = _in_order(webhook, _locked(same.order_by("number")[:LARGEST]))
    else:
        rows = _in_order(webhook, _locked(_open(webhook, now)[: size_of(webhook)]))
        if not _is_ready([row.due_at for row in rows], size_of(webhook), now):
            return []
    return [_lease(webhook, rows, now + LEASE)] if rows else []


def _locked(rows: Any) -> list[Delivery]:
    return list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)))


def _in_order(webhook: Webhook, rows: list[Delivery]) -> list[Delivery]:
    """Without those behind another of their chat that is not among them: it was skipped, being noted or tried again at this moment."""
    if not rows:
        return []
    chats = {row.chat_id for row in rows if row.chat_id}
    before = _pending(webhook).filter(chat__in=chats, number__lt=rows[-1].number)
    others = before.exclude(number__in=[row.number for row in rows]).order_by()
    first = dict(others.values_list("chat").annotate(oldest=Min("number")))
    return [row for row in rows if row.number < first.get(row.chat_id, row.number + 1)]


def _lease(webhook: Webhook, rows: list[Delivery], until: datetime) -> Delivery:
    Delivery.objects.filter(number__in=[row.number for row in rows]).update(leased_until=until)
    for row in rows:
        row.leased_until, row.webhook = until, webhook
    rows[0].companions = tuple(rows[1:])
    return rows[0]


calls = CallLanes(Delivery, Webhook.objects.live, ("webhook__registration",))
