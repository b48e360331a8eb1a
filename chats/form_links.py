"""Signed links to the page on which a customer fills in a form. Each link is one sending of one form in one chat."""

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from .models import FormTemplate

LINK_LIFE = timedelta(days=30)
MARK = 8  # bytes
signer = signing.TimestampSigner(sep=".", salt="chats.forms")


@dataclass(frozen=True)
class Sending:
    """What a link names. `mark`: of this sending; the same form may be sent again."""

    chat_id: UUID
    form_id: UUID
    mark: str

    @property
    def client_id(self) -> str:
        """Under which the answers stand in the log: there is one set of them for a link."""
        return f"form-{self.mark}"


def form_link(chat_id: UUID, form: FormTemplate) -> str:
    """Where the chat's customer fills the form in, once, for 30 days."""
    name = chat_id.bytes + form.pk.bytes + secrets.token_bytes(MARK)
    signed = signer.sign(base64.urlsafe_b64encode(name).decode().rstrip("="))
    return urljoin(settings.BASE_URL, reverse("form", args=[signed]))


def read_link(token: str) -> Sending:
    """Raises BadSignature, and SignatureExpired for one whose time is over."""
    name = signer.unsign(token, max_age=LINK_LIFE)
    try:
        found = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4))
        return Sending(UUID(bytes=found[:16]), UUID(bytes=found[16:32]), found[32:].hex())
    except (binascii.Error, ValueError):
        raise signing.BadSignature from None
