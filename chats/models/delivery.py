"""Outgoing web hooks: who wants to be told, what is to be told, and every attempt at it."""

import secrets
from base64 import b64encode
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models import Registration
from contactcenter.models.secret import SecretField
from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center

from .errand import Errand, ErrandQuerySet, chat_key, lane_indexes

SHAKE_HANDS = frozenset({Registration.Protocol.HYPERCHAT})
OLD_SECRET_LIVES = timedelta(hours=24)


def new_webhook_secret() -> str:
    """As Standard Webhooks writes them: whsec_ and 32 random bytes in base64."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def live(self) -> "WebhookQuerySet":
        """Those for which events are filed and sent."""
        speaks = Q(registration=None) | Q(registration__is_active=True)
        on = self.kept().filter(speaks, is_active=True, disabled_at=None)
        return on.filter(application__is_active=True, center__is_active=True).exclude(verified_at=None)

    def kept(self) -> "WebhookQuerySet":
        """Those that nobody has deleted."""
        return self.filter(deleted_at=None)


class Webhook(CenterRow):
    """An address that an application wants to be called at. `registration` is set where it is to hear a foreign API's words instead of ours."""

    center = center_key("webhooks")
    application = own_key("contactcenter.Application", related_name="webhooks", verbose_name=_("application"))
    registration = own_key(
        "contactcenter.Registration",
        related_name="webhooks",
        verbose_name=_("foreign access"),
        null=True,
        blank=True,
        help_text=_("Whose words it hears; empty = ours."),
    )
    url = models.CharField(_("address"), max_length=2000)
    events = models.JSONField(
        _("events"), default=list, help_text=_("Such as message.posted, chat.* or * for all, with commas between.")
    )
    secret = SecretField(default=new_webhook_secret)
    facts = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        editable=False,
        help_text="What a foreign API's client said of it: name, filters, batches.",
    )
    old_secret = SecretField(default="")
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    verified_at = models.DateTimeField(
        _("verified"),
        default=timezone.now,
        null=True,
        blank=True,
        editable=False,
        help_text="Foreign ones shake hands first.",
    )
    disabled_at = models.DateTimeField(_("switched off"), null=True, blank=True, editable=False)
    disabled_reason = models.CharField(_("why switched off"), max_length=200, blank=True, editable=False)
    # The row goes later (outbox.retention): whoever files for it at this moment must not fail.
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("web hook")
        verbose_name_plural = _("web hooks")
        constraints = [addressable("webhook"), *same_center("webhook", "application", "registration")]

    def __str__(self) -> str:
        return self.url

    @property
    def shakes_hands(self) -> bool:
        """Whether its receiver must agree before anything is sent to it."""
        return self.registration is not None and self.registration.protocol in SHAKE_HANDS

    @property
    def is_on(self) -> bool:
        """Whether neither we nor its receiver have switched it off."""
        return self.is_active and self.disabled_at is None

    @property
    def state(self) -> str:
        """active, or why nothing is sent: off (by hand), disabled (its receiver said 410), unverified (hands are not shaken yet)."""
        if self.disabled_at is not None:
            return "disabled"
        if not self.is_active:
            return "off"
        return "active" if self.verified_at is not None else "unverified"

    def live_secrets(self, now: datetime) -> list[str]:
        """The secrets to sign with, the newest first: two while one replaces the other. A foreign client may have given none: it is empty."""
        has_old = self.old_secret and self.old_secret_until and self.old_secret_until > now
        return [self.secret, self.old_secret] if has_old else [self.secret]

    def renew_secret(self, now: datetime) -> str:
        """A new secret, which is never shown again. The old one signs beside it for a day, so that receivers can change over."""
        self.old_secret, self.old_secret_until = self.secret, now + OLD_SECRET_LIVES
        secret = self.secret = new_webhook_secret()
        self.save(update_fields=["secret", "old_secret", "old_secret_until"])
        return secret


class Delivery(Errand):
    """One call to make."""

    target = "webhook"

    center = center_key("deliveries")
    webhook = own_key("chats.Webhook", related_name="deliveries", verbose_name=_("web hook"))
    chat = chat_key("deliveries")
    event = models.CharField(_("event"), max_length=40)
    payload = models.JSONField(_("content"), default=dict)

    # Those that go with it in one call, as long as it is under way (outbox.batches); not stored.
    companions: tuple["Delivery", ...] = ()

    objects = ErrandQuerySet["Delivery"].as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [addressable("delivery"), *same_center("delivery", "webhook", "chat")]
        indexes = [
            *lane_indexes("delivery", "webhook"),
            models.Index(fields=["webhook", "filed_at", "number"], name="delivery_filed"),
            models.Index(fields=["webhook"], condition=Q(failed_at__isnull=False), name="delivery_dead"),
            models.Index(fields=["chat"], name="delivery_of_chat"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"


class Attempt(CenterRow):
    """One try at a delivery. `status` is empty where no answer came; then `error` says why."""

    center = center_key("attempts")
    delivery = own_key("chats.Delivery", to_field="id", related_name="attempts", verbose_name=_("delivery"))
    at = models.DateTimeField(_("at"))
    milliseconds = models.PositiveIntegerField(_("took (ms)"))
    status = models.PositiveSmallIntegerField(_("status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    body = models.TextField(_("answer"), blank=True, help_text=_("Its beginning."))

    class Meta:
        ordering = ["delivery", "at"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = same_center("attempt", "delivery")

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.status or self.error}"
