"""Connectors: programs that carry chats over channels which we do not speak ourselves, and what others ask them to send."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.ids import new_id
from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center

OUTBOUND_LIVES = timedelta(days=1)


class Connector(CenterRow):
    """The carrier of one channel of an application: sms, whatsapp, twitter … One connection at a time is given its messages: the holder."""

    center = center_key("connectors")
    registration = own_key("contactcenter.Registration", related_name="connectors", verbose_name=_("foreign access"))
    channel = own_key(
        "contactcenter.Channel",
        related_name="connectors",
        verbose_name=_("channel"),
        on_delete=models.PROTECT,
        help_text=_("Chats that it carries belong to it."),
    )
    name = models.CharField(_("channel's name in its API"), max_length=40)
    title = models.CharField(_("friendly name"), max_length=100, blank=True)
    holder = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The connection that is given the messages."
    )
    held_until = models.DateTimeField(_("client seen until"), null=True, blank=True, editable=False)
    away_since = models.DateTimeField(_("away since"), default=timezone.now, null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints = [
            addressable("connector"),
            models.UniqueConstraint(fields=["registration", "name"], name="connector_once"),
            *same_center("connector", "registration", "channel"),
        ]

    def __str__(self) -> str:
        return self.title or self.name

    def is_there(self, now: datetime) -> bool:
        """Whether a connection of it is alive."""
        return self.holder is not None and self.held_until is not None and self.held_until > now


def outbound_ends() -> datetime:
    return timezone.now() + OUTBOUND_LIVES


class OutboundQuerySet(models.QuerySet["OutboundMessage"]):
    def waiting(self, now: datetime) -> "OutboundQuerySet":
        """What is still to be given to a connector, the oldest first."""
        return self.filter(given_at=None, expires_at__gt=now).order_by("number")

    def in_state(self, state: str, now: datetime) -> "OutboundQuerySet":
        """As OutboundMessage.state says it."""
        if state == "given":
            return self.filter(given_at__isnull=False)
        still = Q(expires_at__gt=now) if state == "waiting" else Q(expires_at__lte=now)
        return self.filter(still, given_at=None)


class OutboundMessage(models.Model):
    """A text that a program has sent to an account of a channel, outside of any chat: a campaign's SMS, say."""

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=new_id, editable=False)
    center = center_key("outbound_messages")
    application = own_key("contactcenter.Application", related_name="outbound_messages", verbose_name=_("asked for by"))
    connector = own_key("chats.Connector", related_name="outbound_messages", verbose_name=_("connector"))
    account = models.CharField(_("account"), max_length=200, help_text=_("On its channel: a phone number, say."))
    text = models.TextField(_("text"))
    client_id = models.CharField(max_length=64, help_text=_("Made by the program; a repeat changes nothing."))
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("given up after"), default=outbound_ends)
    given_at = models.DateTimeField(_("given to the connector"), null=True, blank=True, editable=False)

    objects = OutboundQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name = _("outbound message")
        verbose_name_plural = _("outbound messages")
        constraints = [
            models.UniqueConstraint(fields=["application", "client_id"], name="outboundmessage_client_id"),
            *same_center("outboundmessage", "application", "connector"),
        ]
        indexes = [
            models.Index(fields=["connector", "number"], condition=Q(given_at=None), name="outboundmessage_waiting"),
            models.Index(fields=["connector", "account", "-number"], name="outboundmessage_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.text[:40]}"

    def state(self, now: datetime) -> str:
        """waiting, given (to the connector) or expired."""
        if self.given_at is not None:
            return "given"
        return "waiting" if self.expires_at > now else "expired"
