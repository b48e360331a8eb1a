"""The log."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import center_key, own_key, same_center


class EventQuerySet(models.QuerySet["Event"]):
    def public(self) -> "EventQuerySet":
        """What the customer may see, in order."""
        return self.filter(index__isnull=False).order_by("index")


class Event(models.Model):
    """One numbered line of a chat's log. Never deleted alone, and changed only where its customer is erased: then it says nothing any more.

    position  1, 2, 3 … over everything in this chat
    index     1, 2, 3 … over what the customer sees; null = for staff alone
    """

    pk = models.CompositePrimaryKey("chat_id", "position")
    # No index and no foreign key of their own: each costs on every message, and the constraints below serve.
    center = center_key("events", db_index=False, db_constraint=False)
    chat = own_key("chats.Chat", related_name="events", db_index=False)
    position = models.PositiveIntegerField()
    index = models.PositiveIntegerField(null=True)
    type = models.CharField(max_length=30)
    sender = own_key("chats.Participant", related_name="events", null=True, on_delete=models.PROTECT, db_index=False)
    sender_kind = models.CharField(max_length=10, default="system")
    sender_name = models.CharField(max_length=100, blank=True)
    client_id = models.CharField(max_length=64, null=True)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["chat_id", "position"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["chat", "index"], condition=Q(index__isnull=False), name="event_index_of_chat"
            ),
            models.UniqueConstraint(
                # A sender takes part in one chat only. No other index begins like this one, so a look-up for a repeat cannot take another.
                fields=["sender", "client_id"],
                condition=Q(client_id__isnull=False),
                name="event_client_id_of_sender",
            ),
            *same_center("event", "chat", "sender"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.type}"
