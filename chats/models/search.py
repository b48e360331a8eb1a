"""A search for an agent that a program steers: it begins when somebody asks, goes from agent to agent, and ends with one or with nobody."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactcenter.models.team import Team
from contactcenter.models.tenancy import CenterRow, center_key, same_center

from .chat import Chat


class SearchQuerySet(models.QuerySet["Search"]):
    def due(self, now: datetime) -> "SearchQuerySet":
        return self.filter(due_at__lte=now).order_by("due_at")


class Search(CenterRow):
    """One row for a chat that its team's routing leaves alone. `due_at`: the next agent is to be asked; empty while one is being asked, and when nothing is to be done."""

    center = center_key("searches")
    chat = models.OneToOneField(
        "chats.Chat", on_delete=models.CASCADE, db_constraint=False, related_name="search", verbose_name=_("chat")
    )
    strategy = models.CharField(_("who is asked first"), max_length=20, choices=Team.Strategy, blank=True)
    invitation_seconds = models.PositiveIntegerField(_("invitation lasts (s)"), null=True, blank=True)
    attempts_left = models.PositiveSmallIntegerField(_("agents that may still be asked"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)

    objects = SearchQuerySet.as_manager()

    class Meta:
        verbose_name = _("search")
        verbose_name_plural = _("searches")
        constraints = same_center("search", "chat")
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="search_due")]

    def __str__(self) -> str:
        return f"{self.chat_id}"

    @property
    def is_running(self) -> bool:
        return self.started_at is not None and self.ended_at is None

    def unsought_since(self, chat: Chat) -> datetime | None:
        """Since when the chat waits while nobody searches; None while somebody does, or the chat has an agent."""
        if self.is_running or not chat.is_waiting:
            return None
        return max(filter(None, [self.ended_at, chat.queued_at]), default=chat.started_at)
