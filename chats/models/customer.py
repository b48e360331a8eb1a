"""Who writes to us, and the sessions by which their clients prove it."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class Customer(CenterRow):
    """A person who contacts a center. Anonymous until somebody proves who it is (`is_identified`)."""

    center = center_key("customers")
    name = models.CharField(_("name"), max_length=100, blank=True)
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    external_id = models.CharField(_("id in the center's own systems"), max_length=200, null=True, blank=True)
    is_identified = models.BooleanField(
        _("identified"), default=False, help_text=_("The center's own server vouched for the id.")
    )
    data = models.JSONField(_("custom data"), default=dict, blank=True)
    notes = models.TextField(_("notes"), blank=True, max_length=10_000)
    is_blocked = models.BooleanField(_("blocked"), default=False)
    blocked_until = models.DateTimeField(_("blocked until"), null=True, blank=True, help_text=_("Empty = for good."))
    block_reason = models.CharField(_("why"), max_length=200, blank=True)
    merged_into = own_key(
        "chats.Customer",
        related_name="merged",
        verbose_name=_("merged into"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    erased_at = models.DateTimeField(
        _("erased"), null=True, blank=True, editable=False, help_text="What is left is a number for the figures."
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            addressable("customer"),
            models.UniqueConstraint(fields=["center", "external_id"], name="customer_external_id_in_center"),
            *same_center("customer", "merged_into"),
        ]
        indexes = [
            models.Index(fields=["center", "email"], name="customer_email"),
            models.Index(fields=["center", "-created_at"], name="customer_newest"),
        ]

    def __str__(self) -> str:
        if self.erased_at:
            return str(_("Erased customer"))
        return self.name or self.email or self.phone or str(_("Customer"))

    def is_blocked_at(self, now: datetime) -> bool:
        return self.is_blocked and (self.blocked_until is None or self.blocked_until > now)


class CustomerSession(CenterRow):
    """A client of one customer: 256 random bits that its site keeps, stored hashed."""

    center = center_key("customer_sessions")
    customer = own_key("chats.Customer", related_name="sessions", verbose_name=_("customer"))
    channel = own_key("contactcenter.Channel", related_name="sessions", verbose_name=_("channel"))
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("customer session")
        verbose_name_plural = _("customer sessions")
        constraints = same_center("customersession", "customer", "channel")

    def __str__(self) -> str:
        return f"{self.customer_id} until {self.expires_at:%Y-%m-%d}"
