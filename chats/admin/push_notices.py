"""Push notices to customers' apps: to read. An hour after a message nobody is told of it any more, so there is nothing to send again."""

from typing import Any

from django.contrib.admin import EmptyFieldListFilter, SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from chats.models import PushNotice
from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.sites import SITES

from .dispatches import ChannelFilter

STATES = {"pending": _("waiting"), "sent": _("sent"), "skipped": _("not needed"), "failed": _("given up")}
TONES = {"pending": "waiting", "sent": "live", "skipped": "waiting", "failed": "danger"}


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return tuple(STATES.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[PushNotice]") -> "QuerySet[PushNotice]":
        match self.value():
            case "pending":
                return queryset.filter(sent_at=None, failed_at=None)
            case "sent":
                return queryset.filter(sent_at__isnull=False, skipped=False)
            case "skipped":
                return queryset.filter(skipped=True)
            case "failed":
                return queryset.filter(failed_at__isnull=False)
        return queryset


@register(PushNotice, site=SITES[0])
@register(PushNotice, site=SITES[1])
class PushNoticeAdmin(ReadOnly, CenterModelAdmin):
    list_display = ("device", "service", "state_shown", "channel", "filed_at", "chat_shown", "why")
    list_filter = (StateFilter, ("error", EmptyFieldListFilter), ("channel", ChannelFilter))
    list_select_related = ("channel", "session", "chat__customer")
    search_fields = ("=external_id", "=session__device_id")
    readonly_fields = ("device", "service", "state_shown", "chat_shown", "next_at", "why")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("device", "service"),
                    ("channel", "state_shown"),
                    ("filed_at", "sent_at"),
                    ("attempts_made", "next_at"),
                    "why",
                    ("chat_shown", "external_id"),
                )
            },
        ),
    )

    @display(description=_("device"), ordering="session")
    def device(self, obj: PushNotice) -> Any:
        return format_html('<bdi dir="ltr">{}</bdi>', obj.session)

    @display(description=_("by"))
    def service(self, obj: PushNotice) -> str:
        """Empty for one whose token is forgotten."""
        return {"fcm": "FCM", "apns": "APNs"}.get(next(iter(obj.session.push), ""), "–")

    @display(description=_("state"))
    def state_shown(self, obj: PushNotice) -> Any:
        state = "skipped" if obj.skipped else obj.state
        return format_html('<span class="cc-badge" data-tone="{}">{}</span>', TONES[state], STATES[state])

    @display(description=_("last error"), ordering="error")
    def why(self, obj: PushNotice) -> Any:
        """In the words of a service, which may not be the page's language."""
        return format_html("<bdi>{}</bdi>", obj.error or "–")

    @display(description=_("tried next"))
    def next_at(self, obj: PushNotice) -> Any:
        return "–" if obj.is_done else obj.due_at

    @display(description=_("chat"))
    def chat_shown(self, obj: PushNotice) -> Any:
        page = reverse("admin:chats_chat_change", args=[obj.chat_id], current_app=self.admin_site.name)
        return format_html('<a class="text-link" href="{}">{}</a>', page, obj.chat)
