"""Who says so: what a receiver checks a call by.

Our own words follow Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks); HyperChat's receivers know one
signature, over the body, by the secret that they were given when hands were shaken; the Chat API's know one by the secret that they chose.
"""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chats.models import Webhook
from contactcenter.models import Registration

PREFIX = "whsec_"


def encode(payload: Any) -> bytes:
    """The body: the same bytes in every attempt, since they are what is signed."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def headers_of(webhook: Webhook, call_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that prove a call. Every call has a `webhook-id`, which stays the same over all attempts."""
    protocol = webhook.registration.protocol if webhook.registration else ""
    return {"webhook-id": str(call_id), **SIGNATURES[protocol](webhook.live_secrets(now), call_id, body, now)}


def standard(secrets: Sequence[str], call_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """One signature for each live secret, so that receivers can change over."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join([str(call_id).encode(), timestamp.encode(), body])
    marks = [hmac.digest(b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(mark).decode()}" for mark in marks),
    }


def hook(secrets: Sequence[str], call_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """X-Hook-Signature: HMAC-SHA256 of the raw body, in hex. "Of the event data" says the vendor; the form is our choice."""
    return {"X-Hook-Signature": hmac.digest(secrets[0].encode(), body, hashlib.sha256).hex()}


def comapi(secrets: Sequence[str], call_id: UUID, body: bytes, now: datetime) -> dict[str, str]:
    """X-Comapi-Signature: HMAC-SHA1 of the raw body, in hex; none for who gave no secret."""
    if not secrets[0]:
        return {}
    return {"X-Comapi-Signature": hmac.digest(secrets[0].encode(), body, hashlib.sha1).hex()}


Sign = Callable[[Sequence[str], UUID, bytes, datetime], dict[str, str]]
SIGNATURES: dict[str, Sign] = {
    "": standard,
    Registration.Protocol.HYPERCHAT: hook,
    Registration.Protocol.COMAPI: comapi,
}
