"""Chats: read, and closed when somebody must."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import action as bulk_action
from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from chats.actions.close import close_chat
from chats.models import Chat
from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.sites import SITES

from .lines import lines_of


@register(Chat, site=SITES[0])
@register(Chat, site=SITES[1])
class ChatAdmin(ReadOnly, CenterModelAdmin):
    is_personal = True
    list_display = ("customer", "subject", "team", "agent", "state", "waited", "rating", "started_at")
    list_filter = ("state", "team", "agent", "channel", "close_reason", "rating")
    list_select_related = ("customer", "team", "agent")
    search_fields = ("subject", "customer__name", "customer__email")
    date_hierarchy = "started_at"
    actions = ("close_chosen",)
    actions_detail = ("close",)
    readonly_fields = ("log", "custom", "waited")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("customer", "channel"),
                    ("team", "agent"),
                    ("state", "close_reason"),
                    ("started_at", "first_accepted_at", "closed_at"),
                    ("waited", "rating", "disposition"),
                )
            },
        ),
        (_("What was said"), {"fields": ("log",)}),
        (
            _("More"),
            {
                "fields": (
                    "subject",
                    "language",
                    "priority",
                    "page_title",
                    "page_url",
                    "custom",
                    "rating_comment",
                    "comment",
                ),
            },
        ),
    )

    @display(description=_("waited"), ordering="first_accepted_at")
    def waited(self, obj: Chat) -> str:
        """From the start to the first accepting agent, or until now or the end."""
        seconds = int(((obj.first_accepted_at or obj.closed_at or timezone.now()) - obj.started_at).total_seconds())
        return f"{seconds // 60}:{seconds % 60:02}"

    @display(description=_("log"))
    def log(self, obj: Chat) -> str:
        return render_to_string("administration/chat_log.html", {"lines": lines_of(obj), "chat": obj})

    @display(description=_("custom data"))
    def custom(self, obj: Chat) -> str:
        return render_to_string("administration/pairs.html", {"pairs": obj.data})

    @bulk_action(description=_("Close the chosen chats"))
    def close_chosen(self, request: HttpRequest, queryset: "QuerySet[Chat]") -> None:
        closed = [self._close(request, chat) for chat in queryset.open()]  # type: ignore[attr-defined]
        messages.success(request, _("%d chats are closed.") % len(closed))

    @action(description=_("End this chat"), url_path="close", icon="close")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        chat = self.own(request, object_id)
        if request.method == "POST":
            self._close(request, chat)
            messages.success(request, _("The chat is closed."))
            return HttpResponseRedirect(
                reverse("admin:chats_chat_change", args=[chat.pk], current_app=self.admin_site.name)
            )
        return self.ask(
            request, chat, _("End this chat"), _("The customer and the agent see that the chat has ended. End it?")
        )

    def _close(self, request: HttpRequest, chat: Chat) -> Chat:
        close_chat(chat.center.chats, chat.pk, reason=Chat.CloseReason.OPERATOR, now=timezone.now())
        self.note(request, "closed", chat)
        return chat

    def get_actions(self, request: HttpRequest) -> Any:
        """Nothing is deleted here."""
        return {name: found for name, found in super().get_actions(request).items() if name != "delete_selected"}
