"""A team's queue as work that is due, and the estimate of its waits."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, center_key, same_center


class QueueQuerySet(models.QuerySet["Queue"]):
    def due(self, now: datetime) -> "QueueQuerySet":
        return self.filter(routing_due_at__lte=now).order_by("routing_due_at")


class Queue(CenterRow):
    """One row a team. `routing_due_at` is the obligation to route it; whoever routes sets it anew within the same transaction."""

    center = center_key("queues")
    team = models.OneToOneField(
        "contactcenter.Team",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="queue",
        verbose_name=_("team"),
    )
    routing_due_at = models.DateTimeField(_("to be routed at"), null=True, blank=True)
    seconds_per_chat = models.FloatField(
        _("seconds until one place in the queue moves on"), null=True, blank=True, help_text=_("A moving average.")
    )
    moved_at = models.DateTimeField(_("last moved on"), null=True, blank=True)

    objects = QueueQuerySet.as_manager()

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        constraints = same_center("queue", "team")
        indexes = [models.Index(fields=["routing_due_at"], name="queue_due")]

    def __str__(self) -> str:
        return f"{self.team}"
