"""Email as a carrier: a mailbox read by IMAP, answers sent by SMTP."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from chats.carriers.provider import Parcel, Result, Setting
from chats.outbox.sending import Sender
from contactcenter.models import Channel

from . import imap, smtp
from .addresses import Addresses
from .wire import Trouble

SECURITY = _("ssl (from the first byte), starttls, or none (only within your own network)")


class Mail(Addresses):
    """See chats.carriers.provider.Provider."""

    kind: ClassVar[Channel.Kind] = Channel.Kind.EMAIL
    tells_delivery: ClassVar[bool] = False  # only what is not delivered is told, by a report
    most_text: ClassVar[int] = 10_000
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(name="imap_host", label=_("IMAP server"), help=_("Empty = nothing is read, mail is only sent.")),
        Setting(name="imap_port", label=_("IMAP port"), kind="number", default=993),
        Setting(name="imap_security", label=_("IMAP security"), help=SECURITY, default="ssl"),
        Setting(name="imap_user", label=_("IMAP user")),
        Setting(name="imap_password", label=_("IMAP password"), kind="secret"),
        Setting(name="folder", label=_("folder"), default="INBOX"),
        Setting(name="smtp_host", label=_("SMTP server"), is_required=True),
        Setting(name="smtp_port", label=_("SMTP port"), kind="number", default=587),
        Setting(name="smtp_security", label=_("SMTP security"), help=SECURITY, default="starttls"),
        Setting(name="smtp_user", label=_("SMTP user"), help=_("Empty = the server wants none.")),
        Setting(name="smtp_password", label=_("SMTP password"), kind="secret"),
        Setting(name="from_name", label=_("sender's name"), help=_("Empty = the center's name.")),
    )

    def send(self, parcel: Parcel, sender: Sender, seconds: float) -> Result:
        return smtp.send(parcel, seconds)

    def check(self, own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
        until = time.monotonic() + seconds
        found = []
        if settings.get("imap_host"):
            try:
                with imap.opened(settings, secrets, until):
                    pass
            except Trouble as trouble:
                found.append(f"IMAP: {trouble}")
        try:
            with smtp.signed_in(own, settings, secrets, until):
                pass
        except Trouble as trouble:
            found.append(f"SMTP: {trouble}")
        return " ".join(found)
