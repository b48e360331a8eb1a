"""Connectors: whether they are there and what waits for them; and what programs have sent through them. Only to read: programs make both."""

from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from chats.models import Connector, OutboundMessage
from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.pages import links_to
from contactcenter.administration.sites import SITES

COUNTED = 1000  # more than so many are not counted
STATES = {"waiting": _("waiting"), "given": _("given"), "expired": _("given up")}
TONES = {"waiting": "waiting", "given": "live", "expired": "danger"}


def counted(rows: "QuerySet[Any]") -> str:
    found = rows[:COUNTED].count()
    return f"{COUNTED - 1}+" if found == COUNTED else str(found)


@register(Connector, site=SITES[0])
@register(Connector, site=SITES[1])
class ConnectorAdmin(ReadOnly, CenterModelAdmin):
    list_display = ("called", "state_shown", "chats_owed", "texts_waiting", "channel", "application")
    list_filter = ("registration",)
    list_select_related = ("registration__application", "channel")
    search_fields = ("name", "title")
    readonly_fields = ("state_shown", "chats_owed", "texts_waiting", "used_by")
    fieldsets = (
        (None, {"fields": (("name", "title"), ("registration", "channel"))}),
        (_("How it goes"), {"fields": ("state_shown", ("chats_owed", "texts_waiting"), "used_by")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One that nothing belongs to; a program that is there would only make it again."""
        used = obj is None or obj.is_there(timezone.now()) or obj.chats.exists() or obj.outbound_messages.exists()
        return not used and self._may(request, obj)

    @display(description=_("connector"), ordering="name")
    def called(self, obj: Connector) -> str:
        return f"{obj.name} ({obj.title})" if obj.title else obj.name

    @display(description=_("application"), ordering="registration__application__name")
    def application(self, obj: Connector) -> str:
        return obj.registration.application.name

    @display(description=_("state"), ordering="away_since")
    def state_shown(self, obj: Connector) -> Any:
        if obj.is_there(timezone.now()):
            return format_html('<span class="cc-badge" data-tone="live">{}</span>', _("connected"))
        since = obj.away_since or obj.held_until
        badge = format_html('<span class="cc-badge" data-tone="danger">{}</span>', _("away"))
        shown = date(timezone.localtime(since), "SHORT_DATETIME_FORMAT") if since else "–"
        return format_html("{} {}", badge, _("since %s") % shown)

    @display(description=_("chats not delivered"))
    def chats_owed(self, obj: Connector) -> str:
        return counted(obj.chats.filter(owed_since__isnull=False))

    @display(description=_("texts waiting"))
    def texts_waiting(self, obj: Connector) -> Any:
        """The number as a link to them."""
        count = counted(obj.outbound_messages.waiting(timezone.now()))
        page = reverse("admin:chats_outboundmessage_changelist", current_app=self.admin_site.name)
        query = f"connector__id__exact={obj.pk}&state=waiting"
        return count if count == "0" else format_html('<a class="text-link" href="{}?{}">{}</a>', page, query, count)

    @display(description=_("used by"))
    def used_by(self, obj: Connector) -> Any:
        texts = obj.outbound_messages.order_by()[:COUNTED].count()
        return links_to(
            self.admin_site, obj, ("chats_outboundmessage", "connector__id__exact", _("outbound messages"), texts)
        )


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return tuple(STATES.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[OutboundMessage]") -> "QuerySet[OutboundMessage]":
        state = self.value()
        return queryset.in_state(state, timezone.now()) if state in STATES else queryset  # type: ignore[attr-defined]


@register(OutboundMessage, site=SITES[0])
@register(OutboundMessage, site=SITES[1])
class OutboundMessageAdmin(ReadOnly, CenterModelAdmin):
    list_display = ("account_shown", "state_shown", "text_begins", "connector", "application", "created_at", "given_at")
    list_filter = (StateFilter, "connector", "application")
    list_select_related = ("connector", "application")
    search_fields = ("^account",)
    readonly_fields = ("account_shown", "state_shown")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("account_shown", "state_shown"),
                    ("connector", "application"),
                    "text",
                    ("created_at", "expires_at"),
                    ("given_at", "client_id"),
                )
            },
        ),
    )

    @display(description=_("account"), ordering="account")
    def account_shown(self, obj: OutboundMessage) -> Any:
        """A number stays one on pages that read from right to left."""
        return format_html('<bdi dir="ltr">{}</bdi>', obj.account)

    @display(description=_("state"))
    def state_shown(self, obj: OutboundMessage) -> Any:
        state = obj.state(timezone.now())
        return format_html('<span class="cc-badge" data-tone="{}">{}</span>', TONES[state], STATES[state])

    @display(description=_("text"))
    def text_begins(self, obj: OutboundMessage) -> Any:
        return format_html("<bdi>{}</bdi>", obj.text if len(obj.text) <= 40 else f"{obj.text[:39]}…")
