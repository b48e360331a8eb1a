"""Carriers: how the messages of a channel travel that we speak ourselves (SMS, email, Facebook), to whom, and what became of each."""

import json
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models import Channel
from contactcenter.models.secret import SecretField
from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center

from .errand import Errand, ErrandQuerySet, lane_indexes


class Carrier(CenterRow):
    """The provider of one channel, and what it wants to know. `settings` are shown, `secrets` are not."""

    class Provider(models.TextChoices):
        TWILIO = "twilio", _("SMS: Twilio, or who speaks its API")
        MAIL = "mail", _("Email: IMAP and SMTP")
        MESSENGER = "messenger", _("Facebook Messenger")
        MAIL_SERVICE = "mail_service", _("Email: a provider with web hooks (Mailgun, Postmark …)")
        PUSH = "push", _("App: push notices by FCM and APNs")

    KINDS = {
        Provider.TWILIO: Channel.Kind.SMS,
        Provider.MAIL: Channel.Kind.EMAIL,
        Provider.MESSENGER: Channel.Kind.FACEBOOK,
        Provider.MAIL_SERVICE: Channel.Kind.EMAIL,
        Provider.PUSH: Channel.Kind.APP,
    }

    center = center_key("carriers")
    channel = models.OneToOneField(
        "contactcenter.Channel",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="carrier",
        verbose_name=_("channel"),
    )
    provider = models.CharField(_("provider"), max_length=20, choices=Provider)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    kept_secrets = SecretField(default="")
    bookmark = models.JSONField(default=dict, blank=True, editable=False, help_text="How far a mailbox was read.")
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True, editable=False)
    error = models.CharField(_("trouble"), max_length=300, blank=True, editable=False)
    troubled_since = models.DateTimeField(_("in trouble since"), null=True, blank=True, editable=False)
    heard_at = models.DateTimeField(_("last message came in"), null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("carrier")
        verbose_name_plural = _("carriers")
        constraints = [addressable("carrier"), *same_center("carrier", "channel")]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.channel}"

    @property
    def secrets(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.kept_secrets) if self.kept_secrets else {}
        return found

    @staticmethod
    def trouble(error: str, now: datetime) -> dict[str, Any]:
        """What an update writes; an empty error ends it. While it lasts, since when stays."""
        since = Coalesce("troubled_since", Value(now, models.DateTimeField())) if error else None
        return {"error": error[:300], "troubled_since": since}

    def keep_secrets(self, values: dict[str, str]) -> None:
        """Replace those that are named; an empty one goes. The caller saves."""
        kept = self.secrets | values
        self.kept_secrets = json.dumps({name: value for name, value in kept.items() if value})


class Account(CenterRow):
    """A customer's address on a kind of channel: a phone number (E.164), a mail address in lower case, a page-scoped id."""

    center = center_key("accounts")
    kind = models.CharField(_("kind"), max_length=10, choices=Channel.Kind)
    address = models.CharField(_("address"), max_length=254)
    customer = own_key("chats.Customer", related_name="accounts", verbose_name=_("customer"))
    stopped_at = models.DateTimeField(
        _("wants no more messages since"), null=True, blank=True, help_text=_("The customer sent STOP.")
    )
    last_inbound_at = models.DateTimeField(_("last wrote"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["kind", "address"]
        verbose_name = _("address of a customer")
        verbose_name_plural = _("addresses of customers")
        constraints = [
            addressable("account"),
            models.UniqueConstraint(fields=["center", "kind", "address"], name="account_once"),
            *same_center("account", "customer"),
        ]

    def __str__(self) -> str:
        return self.address


class Carriage(CenterRow):
    """That a chat travels: by its channel, to this address. It follows the channel that the customer last wrote on; a chat on the web has none.

    facts: what the provider needs to keep the thread (email: subject, last_id, references).
    """

    center = center_key("carriages")
    chat = models.OneToOneField(
        "chats.Chat", on_delete=models.CASCADE, db_constraint=False, related_name="carriage", verbose_name=_("chat")
    )
    channel = own_key("contactcenter.Channel", related_name="carriages", verbose_name=_("channel"))
    account = own_key("chats.Account", related_name="carriages", verbose_name=_("address"), on_delete=models.PROTECT)
    home = own_key(
        "contactcenter.Channel",
        related_name="+",
        verbose_name=_("came from"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text=_("The website or app on which the chat began; by writing there its customer takes it back."),
    )
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("way of a chat")
        verbose_name_plural = _("ways of chats")
        constraints = [addressable("carriage"), *same_center("carriage", "chat", "channel", "account", "home")]

    def __str__(self) -> str:
        return f"{self.channel} {self.account}"


class Arrival(CenterRow):
    """A message that came in over a channel, by the id that the provider gave it: the second one is known. Written with what it caused."""

    center = center_key("arrivals")
    channel = own_key("contactcenter.Channel", related_name="arrivals", verbose_name=_("channel"))
    external_id = models.CharField(max_length=255)
    chat = own_key("chats.Chat", related_name="arrivals", verbose_name=_("chat"), null=True, blank=True)
    index = models.PositiveIntegerField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("message that came in")
        verbose_name_plural = _("messages that came in")
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_id"], name="arrival_once"),
            *same_center("arrival", "channel", "chat"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Dispatch(Errand):
    """One message of a chat on its way to its customer. Its event is (chat, position); `external_id` is the provider's."""

    target = "channel"

    class Fate(models.TextChoices):
        """What the provider has told since it took the message; it never goes back."""

        NONE = "", _("on its way")
        DELIVERED = "delivered", _("delivered")
        READ = "read", _("read")
        LOST = "lost", _("not delivered")

    center = center_key("dispatches")
    channel = own_key("contactcenter.Channel", related_name="dispatches", verbose_name=_("channel"))
    chat = own_key("chats.Chat", related_name="dispatches", verbose_name=_("chat"), db_index=False)
    account = own_key("chats.Account", related_name="dispatches", verbose_name=_("address"), on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    external_id = models.CharField(max_length=255, blank=True)
    fate = models.CharField(_("fate"), max_length=10, choices=Fate, default=Fate.NONE, blank=True)
    fate_at = models.DateTimeField(null=True, blank=True)

    objects = ErrandQuerySet["Dispatch"].as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name = _("message on its way")
        verbose_name_plural = _("messages on their way")
        constraints = [
            addressable("dispatch"),
            models.UniqueConstraint(fields=["chat", "position"], name="dispatch_of_event"),
            *same_center("dispatch", "channel", "chat", "account"),
        ]
        indexes = [
            *lane_indexes("dispatch", "channel"),
            models.Index(fields=["channel", "external_id"], condition=~Q(external_id=""), name="dispatch_external_id"),
        ]

    def __str__(self) -> str:
        return str(self.account)
