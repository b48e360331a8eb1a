"""Carriers: by which provider a channel for SMS, email or Facebook travels, and whether that works."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from chats.carriers.checking import check_carrier
from chats.carriers.registry import PROVIDERS, usual_provider
from chats.models import Carrier, Dispatch, PushNotice
from contactcenter.administration.base import CenterModelAdmin
from contactcenter.administration.pages import secret_asked
from contactcenter.administration.sites import SITES
from contactcenter.administration.trail import changes_of

from .carrier_form import ChooseChannelForm, made_secrets, name_of, settings_form
from .connectors import counted

WRITTEN = ("settings", "kept_secrets", "is_active", "error", "troubled_since", "checked_at")  # the rest is its threads'
# What is entered at the provider, by which it brings us messages; mail is fetched.
INBOUND = {
    Carrier.Provider.TWILIO: ("twilio/{key}/messages",),
    Carrier.Provider.MESSENGER: ("messenger/{key}",),
    Carrier.Provider.MAIL_SERVICE: ("mail/{key}/inbound/mime", "mail/{key}/events"),
}
HINTS = {
    Carrier.Provider.TWILIO: _("Enter it at the number, or at the messaging service, as “A message comes in”: POST."),
    Carrier.Provider.MESSENGER: _(
        "Enter it at Meta as the callback URL, with the verify token, and choose messages, message_deliveries, message_reads and messaging_postbacks."
    ),
    Carrier.Provider.MAIL_SERVICE: _(
        "The first is for mail that comes in, whole: at Mailgun the route's “forward”, at Postmark the inbound web hook with the raw content, at SendGrid the Inbound Parse URL with the raw message. The second is for what became of ours: delivered, failed or bounced, and complaints. At Postmark and SendGrid, write user and password before the host: https://contactcenter:…@"
    ),
}


def errands_of(carrier: Carrier) -> Any:
    """What leaves by it: messages, or calls to devices."""
    return PushNotice if carrier.provider == Carrier.Provider.PUSH else Dispatch


@register(Carrier, site=SITES[0])
@register(Carrier, site=SITES[1])
class CarrierAdmin(CenterModelAdmin):
    list_display = ("channel", "address", "provider", "state_shown", "waiting", "given_up", "heard_at")
    list_filter = ("provider", "is_active")
    list_select_related = ("channel",)
    search_fields = ("channel__name", "channel__address")
    readonly_fields = ("address", "inbound", "state_shown", "waiting", "given_up", "heard_at", "checked_at")
    actions_detail = ("check_connection", "show_made_secret")
    add_fieldsets = ((None, {"fields": (("channel", "provider"),)}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("channel")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """From the channel's page: with the provider of its kind."""
        found: dict[str, Any] = super().get_changeform_initial_data(request)
        return found | {"provider": usual_provider(request.GET.get("kind", ""))}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = settings_form(obj.provider) if obj else ChooseChannelForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What its settings are for does not change."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else [*fixed, "channel", "provider"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.with_center(self.add_fieldsets)
        offered = PROVIDERS[obj.provider].settings if obj.provider in PROVIDERS else ()
        # Beside each other where there are many.
        names = [name_of(setting) for setting in offered]
        rows = [tuple(names[at : at + 2]) for at in range(0, len(names), 2)]
        inbound = [(_("At the provider"), {"fields": ("inbound",)})] if obj.provider in INBOUND else []
        how = ("state_shown", ("waiting", "given_up"), ("heard_at", "checked_at"))
        first = (None, {"fields": (("channel", "provider"), ("address", "is_active"))})
        return self.with_center(
            [first, (_("Settings"), {"fields": rows}), *inbound, (_("How it goes"), {"fields": how})]
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One by which chats travelled is switched off: what became of their messages hangs on its channel."""
        used = obj is not None and (obj.channel.dispatches.exists() or obj.channel.carriages.exists())
        return not used and super().has_delete_permission(request, obj)

    @display(description=_("our own address"), ordering="channel__address")
    def address(self, obj: Carrier) -> Any:
        page = reverse("admin:contactcenter_channel_change", args=[obj.channel_id], current_app=self.admin_site.name)
        return format_html(
            '<a class="text-link" href="{}"><bdi dir="ltr">{}</bdi></a>', page, obj.channel.address or "–"
        )

    @display(description=_("address for incoming messages"))
    def inbound(self, obj: Carrier) -> str:
        provider = Carrier.Provider(obj.provider)
        codes = [f"{settings.BASE_URL}/carriers/{path.format(key=obj.channel.key)}" for path in INBOUND[provider]]
        hints = ["" for _code in codes[1:]] + [HINTS[provider]]
        shown = zip(codes, hints, strict=True)
        return mark_safe(  # noqa: S308 - templates have escaped all that is in them
            "".join(
                render_to_string("administration/snippet.html", {"code": code, "hint": hint}) for code, hint in shown
            )
        )

    @display(description=_("state"))
    def state_shown(self, obj: Carrier) -> Any:
        if not obj.is_active or not obj.channel.is_active:
            tone, word, why = "waiting", _("switched off"), ""
        elif obj.error:
            tone, word, why = "danger", _("trouble"), obj.error
        elif obj.checked_at or obj.heard_at:
            tone, word, why = "live", _("works"), ""
        else:
            tone, word, why = "waiting", _("not tried yet"), ""
        return format_html('<span class="cc-badge" data-tone="{}">{}</span> <bdi>{}</bdi>', tone, word, why)

    @display(description=_("messages waiting"))
    def waiting(self, obj: Carrier) -> Any:
        return self._counted(obj, "pending", errands_of(obj).objects.pending())

    @display(description=_("not delivered"))
    def given_up(self, obj: Carrier) -> Any:
        return self._counted(obj, "failed", errands_of(obj).objects.exclude(failed_at=None))

    def save_model(self, request: HttpRequest, obj: Carrier, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        if not self.owns(request, obj):
            raise PermissionDenied
        vars(request).setdefault("_trail", {}).update(changes_of(form))
        if form.changed_data:
            obj.error, obj.troubled_since, obj.checked_at = "", None, None  # said of what was entered before
        obj.save(update_fields=WRITTEN)

    def response_add(self, request: HttpRequest, obj: Carrier, post_url_continue: Any = None) -> HttpResponse:
        messages.info(request, _("Enter now what the provider wants to know, and switch it on."))
        return self._back(obj)

    @action(description=_("Check connection"), url_path="check-connection", icon="network_check")
    def check_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        carrier = self.own(request, object_id)
        if request.method != "POST":
            question = _("The provider is asked now whether it knows us. No message is sent. Check the connection?")
            return self.ask(request, carrier, _("Check connection"), question)
        if trouble := check_carrier(carrier, timezone.now()):
            messages.error(request, _("The connection does not work: %s") % trouble)
        else:
            messages.success(request, _("The connection works."))
        self.note(request, "connection checked", carrier, {"trouble": trouble} if trouble else None)
        return self._back(carrier)

    def has_show_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Only where we have made one. A stranger's row is not found, which is not said here."""
        carrier = self.get_object(request, str(object_id))
        return carrier is None or bool(carrier.provider in PROVIDERS and made_secrets(PROVIDERS[carrier.provider]))

    @action(description=_("Show verify token"), url_path="verify-token", icon="visibility", permissions=["show"])
    def show_made_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        carrier = self.own(request, object_id)
        setting = made_secrets(PROVIDERS[carrier.provider])[0]
        return secret_asked(
            request,
            self,
            carrier,
            title=_("Show verify token"),
            question=_("It is entered once at the provider. Show it now?"),
            hint=setting.help,
            make=lambda: carrier.secrets.get(setting.name, ""),
        )

    def _counted(self, obj: Carrier, state: str, rows: Any) -> Any:
        """The number as a link to those messages."""
        count = counted(rows.filter(channel=obj.channel_id).order_by())
        name = errands_of(obj)._meta.model_name
        page = reverse(f"admin:chats_{name}_changelist", current_app=self.admin_site.name)
        query = f"channel__id__exact={obj.channel_id}&state={state}"
        return count if count == "0" else format_html('<a class="text-link" href="{}?{}">{}</a>', page, query, count)

    def _back(self, carrier: Carrier) -> HttpResponse:
        page = reverse("admin:chats_carrier_change", args=[carrier.pk], current_app=self.admin_site.name)
        return HttpResponseRedirect(page)
