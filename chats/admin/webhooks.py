"""Web hooks: where applications want to be called, and whether that works."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from chats.actions.hooks import end_webhook, settle_changes
from chats.errors import Refused
from chats.models import Delivery, Webhook
from chats.outbox.handshake import HandshakeFailed, shake_hands
from chats.outbox.retry import retry_all
from contactcenter.administration.base import CenterModelAdmin
from contactcenter.administration.pages import links_to, secret_asked, secret_shown
from contactcenter.administration.sites import SITES

from .webhook_form import WebhookForm

SHOWN_ONCE = _("Copy it now: it is shown this once. Its receiver verifies with it that a call comes from us.")
COUNTED = 1000  # more than so many deliveries in a state are not counted
STATES = {
    "active": _("active"),
    "off": _("switched off"),
    "disabled": _("switched off"),
    "unverified": _("not verified"),
}
TONES = {"active": "live", "off": "waiting", "disabled": "danger", "unverified": "waiting"}


def shortened(url: str) -> str:
    """An address as a list has room for it."""
    bare = url.removeprefix("https://")
    return bare if len(bare) <= 40 else f"{bare[:39]}…"


def address_shown(url: str) -> Any:
    """The same for pages that read from right to left, too."""
    return format_html('<bdi dir="ltr">{}</bdi>', shortened(url))


@register(Webhook, site=SITES[0])
@register(Webhook, site=SITES[1])
class WebhookAdmin(CenterModelAdmin):
    form = WebhookForm
    list_display = ("url_begins", "state_shown", "waiting", "given_up", "application", "spoken", "heard")
    list_filter = ("application", "registration", "is_active")
    list_select_related = ("application", "registration")
    search_fields = ("url", "application__name")
    readonly_fields = ("in_words", "waiting", "given_up", "used_by", "verified_at", "created_at")
    actions_detail = ("renew_secret", "shake_again", "try_all_again")
    fieldsets = (
        (None, {"fields": (("application", "registration"), "url", "events", ("is_active", "in_words"))}),
        (_("How it goes"), {"fields": (("waiting", "given_up"), ("created_at", "verified_at"), "used_by")}),
    )
    add_fieldsets = ((None, {"fields": (("application", "registration"), "url", "events", "is_active")}),)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Webhook]":
        return super().get_queryset(request).filter(deleted_at=None)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing has gone well or badly before there is one."""
        declared = super().get_fieldsets(request, obj)
        return declared if obj is not None else self.with_center(self.add_fieldsets)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is and whose words it hears do not change: what was filed would stay behind."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else [*fixed, "application", "registration"]

    @display(description=_("address"), ordering="url")
    def url_begins(self, obj: Webhook) -> Any:
        return address_shown(obj.url)

    @display(description=_("spoken API"))
    def spoken(self, obj: Webhook) -> str:
        return obj.registration.get_protocol_display() if obj.registration else "–"

    @display(description=_("events"))
    def heard(self, obj: Webhook) -> str:
        return ", ".join(obj.events[:3]) + (" …" if len(obj.events) > 3 else "")

    @display(description=_("state"))
    def state_shown(self, obj: Webhook) -> Any:
        return format_html('<span class="cc-badge" data-tone="{}">{}</span>', TONES[obj.state], STATES[obj.state])

    @display(description=_("state"))
    def in_words(self, obj: Webhook) -> Any:
        """With the reason, where there is one."""
        is_new = obj.state == "unverified"
        why = _("Hands are not shaken yet, so nothing is sent.") if is_new else obj.disabled_reason
        return format_html("{} {}", self.state_shown(obj), why)

    @display(description=_("waiting"))
    def waiting(self, obj: Webhook) -> Any:
        return self._counted(obj, "pending")

    @display(description=_("given up"))
    def given_up(self, obj: Webhook) -> Any:
        return self._counted(obj, "failed")

    @display(description=_("used by"))
    def used_by(self, obj: Webhook) -> Any:
        if obj._state.adding:
            return "–"
        count = Delivery.objects.filter(webhook=obj)[:COUNTED].count()
        return links_to(self.admin_site, obj, ("chats_delivery", "webhook__id__exact", _("deliveries"), count))

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        settle_changes(obj, form.changed_data)
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: Any = None) -> HttpResponse:
        """The secret, at once. Hands are shaken by a button: nothing is called within the transaction of a page."""
        if obj.shakes_hands:
            messages.info(request, _("Shake hands next: until then nothing is sent."))
        return secret_shown(request, self, obj, title=_("Secret of the web hook"), secret=obj.secret, hint=SHOWN_ONCE)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The web hooks alone: what was filed for them goes later, and may be a million rows."""
        return [str(obj) for obj in objs], {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        end_webhook(obj, timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Webhook]") -> None:
        for webhook in queryset:
            end_webhook(webhook, timezone.now())

    @action(description=_("Renew secret"), url_path="renew-secret", icon="autorenew")
    def renew_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook = self.own(request, object_id)
        return secret_asked(
            request,
            self,
            webhook,
            title=_("Renew secret"),
            question=_("For a day each call is signed with both, the old secret and the new one. Make a new one?"),
            hint=SHOWN_ONCE,
            make=lambda: webhook.renew_secret(timezone.now()),
        )

    def has_shake_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Only receivers of some foreign words shake hands. A stranger's row is not found, which is not said here."""
        webhook = self.get_object(request, str(object_id))
        return webhook is None or webhook.shakes_hands

    @action(description=_("Shake hands again"), url_path="shake-hands", icon="handshake", permissions=["shake"])
    def shake_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook = self.own(request, object_id)
        if request.method != "POST":
            question = _("The address is called now and must say the secret back. Call it?")
            return self.ask(request, webhook, _("Shake hands"), question)
        try:
            shake_hands(webhook, timezone.now())
        except HandshakeFailed as failure:
            messages.error(request, _("Hands were not shaken: %s") % failure)
        else:
            self.note(request, "hands shaken", webhook)
            messages.success(request, _("Hands are shaken. Events are sent from now on."))
        return self._back(webhook)

    @action(description=_("Try all again"), url_path="try-all-again", icon="replay")
    def try_all_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook = self.own(request, object_id)
        if request.method != "POST":
            question = _("All that waits or was given up is sent now, the oldest of each chat first. Try it all again?")
            return self.ask(request, webhook, _("Try all again"), question)
        try:
            count = retry_all(webhook, timezone.now())
        except Refused as refused:
            messages.error(request, str(refused.message))
        else:
            self.note(request, "all tried again", webhook, {"deliveries": count})
            messages.success(request, _("Deliveries tried again: %d") % count)
        return self._back(webhook)

    def _counted(self, obj: Webhook, state: str) -> Any:
        """The number as a link to those deliveries."""
        if obj._state.adding:
            return "–"
        count = Delivery.objects.filter(webhook=obj).in_state(state)[:COUNTED].count()
        if not count:
            return "0"
        page = reverse("admin:chats_delivery_changelist", current_app=self.admin_site.name)
        shown = f"{COUNTED - 1}+" if count == COUNTED else str(count)
        query = f"webhook__id__exact={obj.pk}&state={state}"
        return format_html('<a class="text-link" href="{}?{}">{}</a>', page, query, shown)

    def _back(self, webhook: Webhook) -> HttpResponse:
        page = reverse("admin:chats_webhook_change", args=[webhook.pk], current_app=self.admin_site.name)
        return HttpResponseRedirect(page)
