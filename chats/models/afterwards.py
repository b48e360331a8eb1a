"""What outlives a chat or comes instead of one: transcripts to mail, messages left while nobody was there."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contactcenter.models.tenancy import CenterRow, center_key, own_key, same_center


class TranscriptRequestQuerySet(models.QuerySet["TranscriptRequest"]):
    def due(self, now: datetime) -> "TranscriptRequestQuerySet":
        return self.filter(due_at__lte=now, sent_at=None, failed_at=None).order_by("due_at")


class TranscriptRequest(CenterRow):
    """A transcript to be mailed once the chat has ended (`due_at` is empty until then)."""

    center = center_key("transcript_requests")
    chat = own_key("chats.Chat", related_name="transcript_requests", verbose_name=_("chat"))
    email = models.EmailField(_("to"))
    language = models.CharField(max_length=10, blank=True)
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    due_at = models.DateTimeField(_("due"), null=True, blank=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    failed_at = models.DateTimeField(_("given up"), null=True, blank=True)
    error = models.CharField(_("last error"), max_length=300, blank=True)

    objects = TranscriptRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = _("transcript by mail")
        verbose_name_plural = _("transcripts by mail")
        constraints = [
            models.UniqueConstraint(fields=["chat", "email"], name="transcriptrequest_once"),
            *same_center("transcriptrequest", "chat"),
        ]

    def __str__(self) -> str:
        return f"{self.chat} → {self.email}"


class OfflineMessage(CenterRow):
    """What a customer left while nobody was there."""

    center = center_key("offline_messages")
    channel = own_key("contactcenter.Channel", related_name="offline_messages", verbose_name=_("channel"))
    team = own_key("contactcenter.Team", related_name="offline_messages", verbose_name=_("team"))
    customer = own_key("chats.Customer", related_name="offline_messages", verbose_name=_("customer"))
    client_id = models.CharField(max_length=64)
    name = models.CharField(_("name"), max_length=100, blank=True)
    email = models.EmailField(_("email"), blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    text = models.TextField(_("message"), max_length=10_000)
    page_url = models.CharField(_("page"), max_length=2000, blank=True)
    left_at = models.DateTimeField(pgettext_lazy("a message", "left"), default=timezone.now)
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    handled_by = own_key(
        "agents.Agent", related_name="+", verbose_name=_("handled by"), null=True, blank=True, on_delete=models.SET_NULL
    )

    class Meta:
        ordering = ["-left_at"]
        verbose_name = _("offline message")
        verbose_name_plural = _("offline messages")
        constraints = [
            models.UniqueConstraint(fields=["customer", "client_id"], name="offlinemessage_once"),
            *same_center("offlinemessage", "channel", "team", "customer", "handled_by"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.email}: {self.text[:50]}"
