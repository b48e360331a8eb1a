"""Who is there: the status that an agent chose, and a lease that the agent's client keeps alive."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, center_key, same_center

# What is left of a lease when the client's connection has ended: long enough for a page to load again. Live clients have more.
LEAVING = timedelta(seconds=15)


class PresenceQuerySet(models.QuerySet["Presence"]):
    def leased(self, now: datetime) -> "PresenceQuerySet":
        """Whose client is there."""
        return self.filter(lease_until__gt=now)

    def available(self, now: datetime) -> "PresenceQuerySet":
        """Who may be offered chats: not those whose client has just gone, who may be back in a moment."""
        return self.leased(now + LEAVING).filter(status=Presence.Status.ONLINE)


class Presence(CenterRow):
    """One row an agent. Kept apart from the seat, so that heartbeats and routing never wait for somebody who edits it."""

    class Status(models.TextChoices):
        ONLINE = "online", _("Online")
        AWAY = "away", _("Away")
        OFFLINE = "offline", _("Offline")

    center = center_key("presences")
    agent = models.OneToOneField(
        "agents.Agent", on_delete=models.CASCADE, db_constraint=False, related_name="presence", verbose_name=_("agent")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OFFLINE)
    status_at = models.DateTimeField(_("since"), default=timezone.now)
    lease_until = models.DateTimeField(_("client seen until"), null=True, blank=True)
    idle_since = models.DateTimeField(_("without a chat since"), null=True, blank=True)
    last_assigned_at = models.DateTimeField(_("last chat at"), null=True, blank=True)

    objects = PresenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presence")
        constraints = same_center("presence", "agent")
        indexes = [models.Index(fields=["lease_until"], condition=~Q(status="offline"), name="presence_lease")]

    def __str__(self) -> str:
        return f"{self.agent}: {self.get_status_display()}"

    def is_leased(self, now: datetime) -> bool:
        return self.lease_until is not None and self.lease_until > now

    def is_available(self, now: datetime) -> bool:
        return self.status == self.Status.ONLINE and self.is_leased(now + LEAVING)


class Ticket(CenterRow):
    """The right to open one agent socket, used once. Bound to the user's session version, so that a revoked session's ticket is worthless."""

    center = center_key("tickets")
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, db_constraint=False, related_name="tickets")
    secret_hash = models.CharField(max_length=64, unique=True)
    session_version = models.PositiveIntegerField()
    session_key = models.CharField(max_length=40, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = same_center("ticket", "agent")

    def __str__(self) -> str:
        return f"{self.agent_id} until {self.expires_at:%H:%M:%S}"
