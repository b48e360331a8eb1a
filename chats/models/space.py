"""Chats as the Chat API (Comapi) numbers and names them. Rows are made when somebody asks there: other doors know nothing of them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class Conversation(CenterRow):
    """What a customer's app keeps open for good: its chats with us come and go in it. `head` numbers its events from 0."""

    center = center_key("conversations")
    registration = own_key("contactcenter.Registration", related_name="conversations", verbose_name=_("foreign access"))
    profile = own_key("chats.ForeignCustomer", related_name="conversations", verbose_name=_("profile"))
    team = own_key(
        "contactcenter.Team",
        related_name="conversations",
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    external_id = models.CharField(_("id"), max_length=200)
    facts = models.JSONField(
        default=dict, blank=True, help_text="name, description, isPublic, roles: the client's own words."
    )
    head = models.PositiveIntegerField(default=0, help_text="The next event's number.")
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("conversation of an app")
        verbose_name_plural = _("conversations of apps")
        constraints = [
            addressable("conversation"),
            models.UniqueConstraint(fields=["registration", "external_id"], name="conversation_once"),
            *same_center("conversation", "registration", "profile", "team"),
        ]

    def __str__(self) -> str:
        return self.external_id


class SpaceChatQuerySet(models.QuerySet["SpaceChat"]):
    def loaded(self) -> "SpaceChatQuerySet":
        """With all that a chat's shape there shows."""
        return self.select_related(
            "chat__team", "chat__channel", "chat__customer", "chat__agent__user", "original_team", "conversation"
        )


class SpaceChat(CenterRow):
    """A chat as one API space knows it. `head` and `told_position` move with the chat's row locked: its events are numbered from 0 when they are first asked for."""

    center = center_key("space_chats")
    registration = own_key("contactcenter.Registration", related_name="space_chats", verbose_name=_("foreign access"))
    chat = own_key("chats.Chat", related_name="space_chats", verbose_name=_("chat"))
    conversation = own_key(
        "chats.Conversation",
        related_name="space_chats",
        verbose_name=_("conversation"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    original_team = own_key("contactcenter.Team", related_name="+", null=True, blank=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    context = models.JSONField(default=dict, blank=True)
    head = models.PositiveIntegerField(default=0, help_text="The next line's number.")
    told_position = models.PositiveIntegerField(default=0, help_text="How far the chat's log has become lines.")
    marks = models.JSONField(
        default=dict,
        blank=True,
        help_text='{profile id: {"delivered": index, "read": index}}, as far as it has become lines.',
    )
    created_by = models.CharField(max_length=250, blank=True)
    updated_by = models.CharField(max_length=250, blank=True)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.CharField(max_length=250, blank=True)
    welcome_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the team's welcome is due, if nobody has answered."
    )

    objects = SpaceChatQuerySet.as_manager()

    class Meta:
        verbose_name = _("chat of an API space")
        verbose_name_plural = _("chats of API spaces")
        constraints = [
            addressable("spacechat"),
            models.UniqueConstraint(fields=["registration", "chat"], name="spacechat_once"),
            *same_center("spacechat", "registration", "chat", "conversation", "original_team"),
        ]
        indexes = [
            models.Index(fields=["welcome_at"], condition=Q(welcome_at__isnull=False), name="spacechat_welcome"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.chat_id)


class SpaceLine(models.Model):
    """One event of a chat in the door's own numbering: 0, 1, 2 … without holes. `conversation_number`: the same in its conversation's.

    kind  sent, delivered or read
    index of the message in the chat's log; `profile`: who sent, received or read it
    """

    class Kind(models.TextChoices):
        SENT = "sent"
        DELIVERED = "delivered"
        READ = "read"

    pk = models.CompositePrimaryKey("space_chat_id", "number")
    center = center_key("space_lines", db_index=False, db_constraint=False)
    space_chat = own_key("chats.SpaceChat", related_name="lines", db_index=False)
    conversation = own_key(
        "chats.Conversation", related_name="lines", null=True, blank=True, db_index=False, on_delete=models.SET_NULL
    )
    number = models.PositiveIntegerField()
    conversation_number = models.PositiveIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    message_id = models.UUIDField()
    index = models.PositiveIntegerField()
    position = models.PositiveIntegerField(help_text="Of the message's event in the log.")
    profile = models.CharField(max_length=250)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["space_chat_id", "number"]
        verbose_name = _("event of an API space")
        verbose_name_plural = _("events of API spaces")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "conversation_number"],
                condition=Q(conversation_number__isnull=False),
                name="spaceline_of_conversation",
            ),
            # One message is sent, delivered to and read by somebody once.
            models.UniqueConstraint(fields=["space_chat", "message_id", "kind", "profile"], name="spaceline_once"),
            *same_center("spaceline", "space_chat", "conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"
