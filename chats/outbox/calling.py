"""Calls to web hooks as the clerk does them. One attempt asks nothing of the database: it runs in the callers' threads."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.utils import timezone

from chats.models import Delivery

from . import batches, settle
from .lanes import Lanes
from .sending import Answer, Sender
from .settle import Outcome
from .signing import encode, headers_of

log = structlog.get_logger(__name__)


def make_call(delivery: Delivery, sender: Sender, *, seconds: float) -> Outcome:
    """The delivery has its web hook and registration loaded. Raises nothing."""
    at, begun = timezone.now(), time.monotonic()
    try:
        body = encode(_said(delivery))
        headers = headers_of(delivery.webhook, delivery.id, body, at)
        answer = sender.post(delivery.webhook.url, body, headers, seconds=seconds)
    except Exception:  # the outermost door of these threads: without an outcome nobody would call this address again
        log.exception("a call failed on our side", delivery=str(delivery.id))
        answer = Answer(error="It failed on our side.")
    took = round((time.monotonic() - begun) * 1000)
    return Outcome(delivery=delivery, at=at, milliseconds=took, answer=answer)


def _said(delivery: Delivery) -> Any:
    """The body: one call's, or an array of several."""
    if not batches.is_batched(delivery.webhook):
        return delivery.payload
    return [one.payload for one in (delivery, *delivery.companions)]


class Calls:
    """The clerk's book of calls to web hooks."""

    lanes: Lanes[Any] = batches.calls

    def prepare(self, claimed: Sequence[Delivery]) -> None:
        """Web hook and registration came with the claim."""

    def do(self, errand: Delivery, sender: Sender, seconds: float) -> Outcome:
        return make_call(errand, sender, seconds=seconds)

    def note(self, outcomes: Sequence[Outcome], now: datetime) -> list[Delivery]:
        return settle.note(outcomes, now)
