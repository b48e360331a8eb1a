"""Shaking hands with a receiver of foreign words before anything is told to it: it must say back the secret that it is given."""

import hmac
from datetime import datetime

from chats.models import Webhook

from .sending import Sender
from .signing import encode

HEADER = "X-Hook-Secret"


class HandshakeFailed(Exception):
    """The receiver did not agree. The text is a sentence for people."""


def shake_hands(webhook: Webhook, now: datetime) -> None:
    """Call a registration's web hook; when it answers 200 with the same X-Hook-Secret it is verified, and from then on filed for.

    Takes up to ten seconds: never within a transaction. Raises HandshakeFailed, and then nothing has changed.
    """
    if webhook.registration is None or not webhook.shakes_hands:
        return
    # Receivers in use drop what has no trigger, and read data where there is some.
    body = {
        "trigger": "webhooks:handshake",
        "appId": webhook.registration.foreign_id,
        "created_at": int(now.timestamp()),
    }
    with Sender() as sender:
        answer = sender.post(webhook.url, encode(body), {HEADER: webhook.secret})
    if answer.status is None:
        raise HandshakeFailed(answer.error)
    if answer.status != 200:
        raise HandshakeFailed(f"The target answered {answer.status} instead of 200.")
    echoed = answer.headers.get(HEADER.lower(), "")
    if not hmac.compare_digest(echoed.encode(), webhook.secret.encode()):
        raise HandshakeFailed(f"The target did not send {HEADER} back.")
    # Of the address that was called: it may have been changed meanwhile.
    if not Webhook.objects.kept().filter(pk=webhook.pk, url=webhook.url).update(verified_at=now):
        raise HandshakeFailed("The web hook was changed meanwhile.")
    webhook.verified_at = now
