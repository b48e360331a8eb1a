"""Email by a provider, as a carrier."""

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from chats.carriers.mail.addresses import Addresses
from chats.carriers.provider import Parcel, Result, Setting
from chats.outbox.sending import Sender
from contactcenter.models import Channel

from . import outgoing
from .vendors import VENDORS, Access


class MailService(Addresses):
    """See chats.carriers.provider.Provider."""

    kind: ClassVar[Channel.Kind] = Channel.Kind.EMAIL
    tells_delivery: ClassVar[bool] = True
    most_text: ClassVar[int] = 10_000
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            name="service",
            label=_("Service"),
            kind="choice",
            choices=tuple((name, vendor.label) for name, vendor in VENDORS.items()),
            default="mailgun",
            is_required=True,
        ),
        Setting(
            name="api_key",
            label=_("API key"),
            help=_("Mailgun: a sending key. Postmark: the server API token. SendGrid: a key that may send mail."),
            kind="secret",
            is_required=True,
        ),
        Setting(
            name="domain",
            label=_("Domain"),
            help=_("Mailgun only: the one that sends. Empty = that of our address."),
        ),
        Setting(
            name="signing_key",
            label=_("Signing key"),
            help=_(
                "Mailgun: the HTTP web hook signing key, which is needed. SendGrid: the verification key, where you have switched on the signed event web hook."
            ),
            kind="secret",
        ),
        Setting(
            name="hook_password",
            label=_("Verify token"),
            help=_("The password with which Postmark and SendGrid call us; the user is contactcenter."),
            kind="secret",
            default=secrets.token_urlsafe,
            is_required=True,
        ),
        Setting(
            name="base_url",
            label=_("Server"),
            help=_("Empty = the service's own. Mailgun in Europe: https://api.eu.mailgun.net/v3"),
        ),
        Setting(name="from_name", label=_("sender's name"), help=_("Empty = the center's name.")),
    )

    def send(self, parcel: Parcel, sender: Sender, seconds: float) -> Result:
        vendor = VENDORS.get(str(parcel.settings.get("service")))
        if vendor is None:
            return Result(error=_now("Choose a service on the carrier's page."), again=True)
        return outgoing.send(vendor, parcel, sender, seconds)

    def check(self, own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
        vendor = VENDORS.get(str(settings.get("service")))
        if vendor is None:
            return _now("Choose a service on the carrier's page.")
        access = Access(own, settings, secrets)
        with Sender() as sender:
            answer = vendor.ask(access, sender, seconds)
        if not vendor.knows_us(answer):
            return _why(answer.status, answer.error)
        if not vendor.lock(access, is_tracking=False):
            return _now("It takes our mail. Without the signing key nothing comes in.")
        return ""


def _why(status: int | None, error: str) -> str:
    if status in (401, 403):
        return _now("The API key is wrong.")
    if status == 404:
        return _now("The service does not know this domain.")
    return error or _now("The server answered %(status)s.") % {"status": status}
