"""The carrier as the admin knows it. Nothing travels by it: devices are only called, so it has no addresses and takes no parcels."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from chats.carriers.provider import Parcel, Result, Setting
from chats.errors import Invalid
from chats.outbox.sending import Sender
from contactcenter.models import Channel

from . import apns, fcm


class Push:
    """See chats.carriers.provider.Provider."""

    kind: ClassVar[Channel.Kind] = Channel.Kind.APP
    tells_delivery: ClassVar[bool] = False
    most_text: ClassVar[int] = 0
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            name="fcm_account",
            label=_("Firebase service account"),
            help=_(
                "The content of the JSON file: Firebase console, project settings, service accounts. Empty = no Android."
            ),
            kind="secret",
            most=20_000,
        ),
        Setting(
            name="apns_key",
            label=_("Apple push key"),
            help=_("The content of the .p8 file: Apple developer account, keys. Empty = no iOS."),
            kind="secret",
            most=5_000,
        ),
        Setting(name="apns_key_id", label=_("Key ID"), help=_("Of Apple's key: ten letters and digits.")),
        Setting(name="apns_team_id", label=_("Team ID"), help=_("Of the Apple developer account.")),
        Setting(
            name="apns_bundle_id",
            label=_("Bundle ID"),
            help=_("Of the app, where it does not say it itself."),
        ),
        Setting(
            name="apns_development",
            label=_("Apple's development environment"),
            help=_("For apps that do not say their environment."),
            kind="flag",
        ),
        Setting(name="fcm_url", label=_("Address of FCM"), default=fcm.BASE),
        Setting(name="apns_url", label=_("Address of APNs"), default=apns.BASE),
        Setting(name="apns_development_url", label=_("Address of APNs for development"), default=apns.DEVELOPMENT_BASE),
    )

    def own_address(self, value: str) -> str:
        """None: apps know us. Raises Invalid."""
        if value.strip():
            raise Invalid(fields={"address": _("Apps have no address of our own.")})
        return ""

    def address(self, value: str, own: str) -> str:
        """None: devices are no addresses that an agent could enter. Raises Invalid."""
        raise Invalid(fields={"address": _("Nothing can be sent by this channel.")})

    def send(self, parcel: Parcel, sender: Sender, seconds: float) -> Result:
        return Result(error="Nothing travels by push notices.")

    def check(self, own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
        """Both services are asked, each for half of the time."""
        if not secrets.get("fcm_account") and not secrets.get("apns_key"):
            return _now("Enter the service account of Firebase, the key of Apple, or both.")
        found = []
        if secrets.get("fcm_account"):
            with Sender() as sender:
                found.append(fcm.check(settings, secrets, sender, seconds / 2))
        if secrets.get("apns_key"):
            found.append(apns.check(settings, secrets, seconds / 2))
        return " ".join(filter(None, found))
