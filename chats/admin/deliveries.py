"""Deliveries of web hooks with every attempt: read only, but for trying again."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter, display, register
from django.contrib.admin import action as bulk_action
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from chats.actions.hook_rules import own_patterns
from chats.errors import Refused
from chats.models import Attempt, Delivery, Webhook
from chats.outbox.retry import retry
from contactcenter.administration.base import CenterModelAdmin, CenterTabularInline, ReadOnly
from contactcenter.administration.scope import OwnRelatedFilter
from contactcenter.administration.sites import SITES

from .webhooks import address_shown, shortened

AT_ONCE = 500  # deliveries of one selection; for more there is the web hook's own button
STATES = {"pending": _("waiting"), "sent": _("sent"), "failed": _("given up")}
TONES = {"pending": "waiting", "sent": "live", "failed": "danger"}


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return tuple(STATES.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
        state = self.value()
        return queryset.in_state(state) if state in STATES else queryset  # type: ignore[attr-defined]


class EventFilter(SimpleListFilter):
    """Our own events, and the foreign ones that somebody asked for: to look through all deliveries would take too long."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        hooks = model_admin.admin_site.limit(request, Webhook.objects.kept(), "center").exclude(registration=None)
        foreign = {event for events in hooks.values_list("events", flat=True)[:AT_ONCE] for event in events}
        words = [word for word in own_patterns() if "*" not in word] + sorted(foreign - {"*"})
        return [(word, word) for word in words]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
        event = self.value()
        return queryset.filter(event=event) if event in dict(self.lookup_choices) else queryset


class WebhookFilter(OwnRelatedFilter):
    """All web hooks of the center: which of them occur among the deliveries would take too long to find out."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        hooks = model_admin.admin_site.limit(request, Webhook.objects.kept(), "center")
        return [(hook.pk, shortened(hook.url)) for hook in hooks.order_by("url")[:AT_ONCE]]


class AttemptInline(ReadOnly, CenterTabularInline):
    model = Attempt
    fields = ("at", "status", "milliseconds", "error", "answer")
    readonly_fields = ("answer",)
    ordering = ("at",)
    hide_title = True

    @display(description=_("answer"))
    def answer(self, obj: Attempt) -> str:
        return render_to_string("administration/payload.html", {"text": obj.body})


@register(Delivery, site=SITES[0])
@register(Delivery, site=SITES[1])
class DeliveryAdmin(ReadOnly, CenterModelAdmin):
    list_display = ("event", "state_shown", "filed_at", "called", "chat_shown", "attempts_made", "error")
    list_filter = (StateFilter, EventFilter, ("webhook", WebhookFilter))
    list_select_related = ("webhook", "chat__customer")
    inlines = (AttemptInline,)
    actions = ("try_again_chosen",)
    actions_detail = ("try_again",)
    readonly_fields = ("state_shown", "chat_shown", "next_at", "payload_shown", "id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("event", "state_shown"),
                    ("webhook", "chat_shown"),
                    ("filed_at", "sent_at"),
                    ("attempts_made", "next_at"),
                    "error",
                    "id",
                )
            },
        ),
        (_("Content"), {"fields": ("payload_shown",)}),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Delivery]":
        return super().get_queryset(request).filter(webhook__deleted_at=None)

    @display(description=_("state"))
    def state_shown(self, obj: Delivery) -> Any:
        return format_html('<span class="cc-badge" data-tone="{}">{}</span>', TONES[obj.state], STATES[obj.state])

    @display(description=_("web hook"), ordering="webhook")
    def called(self, obj: Delivery) -> Any:
        return address_shown(obj.webhook.url)

    @display(description=_("tried next"))
    def next_at(self, obj: Delivery) -> Any:
        return obj.due_at if obj.state == "pending" else "–"

    @display(description=_("chat"))
    def chat_shown(self, obj: Delivery) -> Any:
        if obj.chat is None:
            return "–"
        page = reverse("admin:chats_chat_change", args=[obj.chat_id], current_app=self.admin_site.name)
        return format_html('<a class="text-link" href="{}">{}</a>', page, obj.chat)

    @display(description=_("what is sent"))
    def payload_shown(self, obj: Delivery) -> str:
        text = json.dumps(obj.payload, indent=2, ensure_ascii=False)
        return render_to_string("administration/payload.html", {"text": text})

    @bulk_action(description=_("Try the chosen ones again"))
    def try_again_chosen(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> None:
        """In their old order. What has arrived, or whose web hook is off, is passed by."""
        count = sum(self._retry(request, delivery) == "" for delivery in queryset.order_by("number")[:AT_ONCE])
        messages.success(request, _("Deliveries tried again: %d") % count)

    @action(description=_("Try again"), url_path="try-again", icon="replay")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        delivery = self.own(request, object_id)
        if request.method != "POST":
            question = _("It is sent again now, under its old id. Try it again?")
            return self.ask(request, delivery, _("Try again"), question)
        if refusal := self._retry(request, delivery):
            messages.error(request, refusal)
        else:
            messages.success(request, _("The delivery is tried again."))
        page = reverse("admin:chats_delivery_change", args=[delivery.pk], current_app=self.admin_site.name)
        return HttpResponseRedirect(page)

    def _retry(self, request: HttpRequest, delivery: Delivery) -> str:
        """Why not, or nothing."""
        try:
            retry(delivery, timezone.now())
        except Refused as refused:
            return str(refused.message)
        self.note(request, "tried again", delivery)
        return ""
