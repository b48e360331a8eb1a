"""Whose services we use: how each is signed in to, what of theirs we believe, and in which field a mail comes whole.

After django-anymail's pages on each, and Mailgun's “Securing webhooks”, Postmark's “Inbound webhook”, SendGrid's “Inbound Email Parse Webhook”.
Where the provider can hand on a mail as it was sent, we take that: it goes the way of every mail. Where that is not switched on,
anymail puts it together from its parts.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from anymail.backends import mailgun, postmark, sendgrid  # type: ignore[import-untyped]
from anymail.webhooks.mailgun import MailgunInboundWebhookView, MailgunTrackingWebhookView  # type: ignore[import-untyped]
from anymail.webhooks.postmark import PostmarkInboundWebhookView, PostmarkTrackingWebhookView  # type: ignore[import-untyped]
from anymail.webhooks.sendgrid import SendGridInboundWebhookView, SendGridTrackingWebhookView  # type: ignore[import-untyped]
from django.http import HttpRequest

from chats.outbox.sending import Answer, Sender

USER = "contactcenter"  # its password is the carrier's own
DISPATCH = "anymail_id"  # what we name a message of ours by at the provider; anymail finds it in what they tell
OLDEST = 24 * 3600  # seconds after which a signature counts no more


@dataclass(frozen=True)
class Access:
    """What a carrier knows of its provider. own: our address."""

    own: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]

    @property
    def domain(self) -> str:
        return str(self.settings.get("domain") or self.own.rpartition("@")[2])


class Vendor:
    label: ClassVar[str]
    base_url: ClassVar[str]
    backend: ClassVar[Any]
    inbound: ClassVar[Any]
    tracking: ClassVar[Any]
    headers: ClassVar[dict[str, str]] = {}
    sends_json: ClassVar[bool] = False  # a mail, else it is a form
    raw_field: ClassVar[str]  # of the form in which a mail comes whole

    def url(self, access: Access) -> str:
        return str(access.settings.get("base_url") or self.base_url).rstrip("/")

    def sign_in(self, access: Access) -> dict[str, Any]:
        """What anymail's backend wants to know."""
        return {"api_key": access.secrets.get("api_key", "")}

    def lock(self, access: Access, *, is_tracking: bool) -> dict[str, Any]:
        """By what anymail's view knows a call to be theirs; nothing when there is nothing by which it could."""
        password = access.secrets.get("hook_password", "")
        return {"webhook_secret": f"{USER}:{password}"} if password else {}

    def whole_mail(self, request: HttpRequest) -> bytes | None:
        """As it was sent. Forms are read as Latin-1, in which every byte stays what it is."""
        found = request.POST.get(self.raw_field)
        return found.encode("latin-1") if found is not None else None

    def envelope_sender(self, request: HttpRequest) -> str | None:
        """Who answers for the mail; empty for what machines report."""
        return request.POST.get("sender")

    def check_age(self, request: HttpRequest) -> None:
        """Raises ValueError for what was signed too long ago; a password has no age."""

    def events(self, view: Any, request: HttpRequest) -> Iterator[Any]:
        yield from view.parse_events(request)

    def ask(self, access: Access, sender: Sender, seconds: float) -> Answer:
        """A call that needs the credentials, and does nothing."""
        raise NotImplementedError

    def knows_us(self, answer: Answer) -> bool:
        return answer.is_ok


class Mailgun(Vendor):
    """A sending key may do nothing but send, so the check is a mail without anything in it, which is refused as such."""

    label, base_url = "Mailgun", "https://api.mailgun.net/v3"
    backend, inbound, tracking = mailgun.EmailBackend, MailgunInboundWebhookView, MailgunTrackingWebhookView
    raw_field = "body-mime"

    def sign_in(self, access: Access) -> dict[str, Any]:
        return super().sign_in(access) | {"sender_domain": access.domain}

    def lock(self, access: Access, *, is_tracking: bool) -> dict[str, Any]:
        key = access.secrets.get("signing_key", "")
        return {"webhook_signing_key": key, "webhook_secret": [], "api_key": None} if key else {}

    def check_age(self, request: HttpRequest) -> None:
        """It signs the moment and not the content: what is old may have been picked up somewhere."""
        is_json = request.content_type == "application/json"
        said = json.loads(request.body)["signature"]["timestamp"] if is_json else request.POST["timestamp"]
        if abs(time.time() - float(said)) > OLDEST:
            raise ValueError("signed too long ago")

    def ask(self, access: Access, sender: Sender, seconds: float) -> Answer:
        url = f"{self.url(access)}/{quote(access.domain, safe='')}/messages"
        headers = {"Authorization": _basic("api", access.secrets.get("api_key", ""))}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return sender.post(url, b"o:testmode=yes", headers, seconds=seconds)

    def knows_us(self, answer: Answer) -> bool:
        return answer.status == 400


class Postmark(Vendor):
    label, base_url = "Postmark", "https://api.postmarkapp.com"
    backend, inbound, tracking = postmark.EmailBackend, PostmarkInboundWebhookView, PostmarkTrackingWebhookView
    headers: ClassVar[dict[str, str]] = {"X-PM-KeepID": "true"}  # else it gives the mail another Message-ID
    sends_json, raw_field = True, "RawEmail"

    def sign_in(self, access: Access) -> dict[str, Any]:
        return {"server_token": access.secrets.get("api_key", "")}

    def whole_mail(self, request: HttpRequest) -> bytes | None:
        found = _fields(request).get(self.raw_field)
        return found.encode(errors="replace") if isinstance(found, str) else None

    def envelope_sender(self, request: HttpRequest) -> str | None:
        first: Any = next(iter(_fields(request).get("Headers") or []), {})
        return str(first["Value"]).strip("<> ") if str(first.get("Name")).lower() == "return-path" else None

    def ask(self, access: Access, sender: Sender, seconds: float) -> Answer:
        headers = {"X-Postmark-Server-Token": _ascii(access.secrets.get("api_key", ""))}
        return sender.get(f"{self.url(access)}/server", headers | {"Accept": "application/json"}, seconds=seconds)


class SendGrid(Vendor):
    label, base_url = "SendGrid", "https://api.sendgrid.com/v3"
    backend, inbound, tracking = sendgrid.EmailBackend, SendGridInboundWebhookView, SendGridTrackingWebhookView
    raw_field = "email"

    def sign_in(self, access: Access) -> dict[str, Any]:
        return super().sign_in(access) | {"generate_message_id": False}

    def lock(self, access: Access, *, is_tracking: bool) -> dict[str, Any]:
        found = super().lock(access, is_tracking=is_tracking)
        key = access.secrets.get("signing_key") if is_tracking else None
        return found | {"tracking_webhook_verification_key": key} if found and is_tracking else found

    def envelope_sender(self, request: HttpRequest) -> str | None:
        found = json.loads(request.POST.get("envelope") or "{}").get("from")
        return found if isinstance(found, str) else None

    def events(self, view: Any, request: HttpRequest) -> Iterator[Any]:
        """They come by the hundred: an odd one keeps none of the others away."""
        for event in json.loads(request.body):
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                yield view.esp_to_anymail_event(event)

    def ask(self, access: Access, sender: Sender, seconds: float) -> Answer:
        headers = {"Authorization": f"Bearer {_ascii(access.secrets.get('api_key', ''))}"}
        return sender.get(f"{self.url(access)}/scopes", headers, seconds=seconds)


VENDORS: dict[str, Vendor] = {"mailgun": Mailgun(), "postmark": Postmark(), "sendgrid": SendGrid()}


def _fields(request: HttpRequest) -> dict[str, Any]:
    found = json.loads(request.body)
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _ascii(secret: str) -> str:
    """A header is ASCII; what is not comes from a slip of the hand, and the provider will say so."""
    return secret.encode("ascii", "replace").decode()
