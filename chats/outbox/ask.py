"""A call whose answer is used at once. It is no delivery: whoever does not answer in time was asked in vain."""

import json
from typing import Any

import structlog
from django.utils import timezone

from chats.models import Webhook
from contactcenter.models.ids import new_id

from .sending import Sender
from .signing import encode, headers_of

log = structlog.get_logger(__name__)


def ask(webhook: Webhook, event: str, payload: dict[str, Any], *, timeout: float = 5) -> Any | None:
    """What the web hook's target answers to `payload` (the whole body), as parsed JSON; None for anything but a 2xx with JSON within `timeout` seconds.

    Never within a transaction. Raises nothing that the target can bring about.
    """
    body = encode(payload)
    headers = headers_of(webhook, new_id(), body, timezone.now())
    with Sender() as sender:
        answer = sender.post(webhook.url, body, headers, seconds=timeout)
    why = answer.error or ("" if answer.is_ok else f"answered {answer.status}")
    if not why:
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            why = "answered no JSON"
    log.info("asked in vain", webhook=str(webhook.pk), trigger=event, why=why)
    return None
