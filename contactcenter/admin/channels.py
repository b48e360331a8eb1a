"""Channels with the widget's look, the form before the chat, and the identity secret."""

from typing import Any

from django.conf import settings
from django.contrib.admin import display, register
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from chats.carriers.registry import PROVIDERS, usual_provider
from chats.errors import Invalid
from chats.models import Carrier
from contactcenter.administration.base import CenterModelAdmin, CenterStackedInline, CenterTabularInline
from contactcenter.administration.pages import links_to, secret_asked
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES
from contactcenter.colour import check_accent, text_on
from contactcenter.models import Channel, FormField, WidgetSettings
from contactcenter.models.channel import new_identity_secret


class WidgetSettingsForm(CenterForm):
    class Meta:
        # Not the browser's colour picker, which cannot be empty: empty means the center's colour.
        widgets = {"accent": UnfoldAdminTextInputWidget(attrs={"placeholder": "#2f6fed"})}

    def clean_accent(self) -> str:
        accent: str = self.cleaned_data["accent"].lower()
        if accent:
            check_accent(accent)
        return accent


class WidgetSettingsInline(CenterStackedInline):
    model = WidgetSettings
    form = WidgetSettingsForm
    max_num = 1
    can_delete = False
    tab = True
    fields = (
        ("title", "accent"),
        ("greeting", "side"),
        "languages",
        ("ask_team", "uploads"),
        ("offline_form", "survey"),
    )

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj and WidgetSettings.objects.filter(channel=obj).exists() else 1


class FormFieldForm(CenterForm):
    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("kind") == FormField.Kind.SELECT and not found.get("options"):
            self.add_error("options", _("A choice needs at least one line here."))
        return found


class FormFieldInline(CenterTabularInline):
    model = FormField
    form = FormFieldForm
    tab = True
    fields = ("order", "key", "label", "kind", "options", "is_required")
    verbose_name_plural = _("form before the chat")


CARRIED = frozenset(Carrier.KINDS.values()) - {Channel.Kind.APP}  # kinds with an address of our own


class ChannelForm(CenterForm):
    """Our own address in the one spelling of its provider; a kind that its carrier, where it has one, is for."""

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        kind = found.get("kind", self.instance.kind)
        carrier = Carrier.objects.filter(channel=self.instance.pk).first()
        if carrier is not None and Carrier.KINDS.get(Carrier.Provider(carrier.provider)) != kind:
            self.add_error("kind", _("Its carrier is for another kind."))
        elif "address" in found:
            self._check_address(found, kind, carrier)
        return found

    def _check_address(self, found: dict[str, Any], kind: str, carrier: Carrier | None) -> None:
        address = found["address"].strip()
        if address and kind not in CARRIED:
            self.add_error("address", _("Only channels for SMS, email and Facebook have one."))
            return
        provider = PROVIDERS.get(carrier.provider if carrier else usual_provider(kind))
        if provider is None or not (address or carrier):
            return
        try:
            found["address"] = provider.own_address(address)
        except Invalid as refused:
            self.add_error("address", (refused.fields or {}).get("address", refused.message))


@register(Channel, site=SITES[0])
@register(Channel, site=SITES[1])
class ChannelAdmin(CenterModelAdmin):
    form = ChannelForm
    list_display = ("name", "kind", "team", "reached_at", "is_active")
    list_filter = ("kind", "team", "is_active")
    search_fields = ("name", "key", "address")
    readonly_fields = ("preview", "snippet", "secret", "created_at", "used_by", "carried_by")
    inlines = (WidgetSettingsInline, FormFieldInline)
    actions_detail = ("show_identity_secret", "renew_identity_secret")
    fieldsets = (
        (None, {"fields": (("name", "kind"), ("team", "is_active"), "allowed_origins", "address", "used_by")}),
        (_("On your site"), {"fields": ("snippet", "preview")}),
        (_("Keys"), {"fields": ("key", "secret", "created_at")}),
    )

    # For what customers reach by a network, not on a site.
    carried_fieldsets = (
        (None, {"fields": (("name", "kind"), ("team", "is_active"), ("address", "carried_by"), "used_by")}),
        (_("Keys"), {"fields": ("key", "created_at")}),
    )

    # Apps come to us; a carrier only calls their devices.
    app_fieldsets = (*fieldsets[:1], (_("Push notices"), {"fields": ("carried_by",)}), *fieldsets[1:])

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and obj.kind == Channel.Kind.APP:
            return self.with_center(self.app_fieldsets)
        is_carried = obj is not None and obj.kind in CARRIED
        return self.with_center(self.carried_fieldsets) if is_carried else super().get_fieldsets(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is not None and obj.kind in CARRIED else super().get_inlines(request, obj)

    @display(description=_("carrier"))
    def carried_by(self, obj: Channel) -> Any:
        """Its carrier, or where one is made."""
        carrier = Carrier.objects.filter(channel=obj.pk).first()
        if carrier is None:
            page = reverse("admin:chats_carrier_add", current_app=self.admin_site.name)
            words = _("None yet: nothing comes in or goes out. Set one up")
            if obj.kind == Channel.Kind.APP:
                words = _("None yet: apps that are closed are not told. Set one up")
            link = '<a class="text-link" href="{}?channel={}&amp;kind={}">{}</a>'
            return format_html(link, page, obj.pk, obj.kind, words)
        page = reverse("admin:chats_carrier_change", args=[carrier.pk], current_app=self.admin_site.name)
        return format_html('<a class="text-link" href="{}">{}</a>', page, carrier.get_provider_display())

    @display(description=_("address or allowed origins"))
    def reached_at(self, obj: Channel) -> Any:
        if obj.kind in CARRIED:
            return format_html('<bdi dir="ltr">{}</bdi>', obj.address or "–")
        return ", ".join(obj.allowed_origins[:3]) + (" …" if len(obj.allowed_origins) > 3 else "")

    @display(description=_("used by"))
    def used_by(self, obj: Channel) -> Any:
        return links_to(
            self.admin_site,
            obj,
            ("chats_chat", "channel__id__exact", _("chats"), obj.chats.count()),
            ("chats_offlinemessage", "channel__id__exact", _("offline messages"), obj.offline_messages.count()),
        )

    @display(description=_("widget"))
    def preview(self, obj: Channel) -> str:
        """The widget in small. A script keeps it in step with the fields."""
        if obj._state.adding:
            return str(_("Save first."))
        widget = WidgetSettings.objects.filter(channel=obj).first() or WidgetSettings(channel=obj)
        accent = widget.accent or obj.center.accent
        context = {"widget": widget, "center": obj.center, "accent": accent, "on_accent": text_on(accent)}
        return render_to_string("administration/widget_preview.html", context)

    @display(description=_("code for your pages"))
    def snippet(self, obj: Channel) -> str:
        if obj._state.adding or obj.kind != Channel.Kind.WEB:
            return str(_("Website widgets have one."))
        context = {
            "code": f'<script src="{settings.BASE_URL}/widget.js" data-key="{obj.key}" async></script>',
            "hint": _(
                "Put it before the end of the body on each page. The page's address must be among the allowed origins."
            ),
        }
        return render_to_string("administration/snippet.html", context)

    @display(description=_("identity secret"))
    def secret(self, obj: Channel) -> str:
        return "••••••••••••" if not obj._state.adding else str(_("Made when you save."))

    @action(description=_("Show identity secret"), url_path="identity-secret", icon="visibility")
    def show_identity_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        channel = self.own(request, object_id)
        return secret_asked(
            request,
            self,
            channel,
            title=_("Show identity secret"),
            question=_("Whoever knows it can write as any of your customers. Show it now?"),
            hint=_("Keep it on your site's server. It must never reach a browser."),
            make=lambda: channel.identity_secret,
        )

    @action(description=_("Renew identity secret"), url_path="renew-identity-secret", icon="autorenew")
    def renew_identity_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        channel = self.own(request, object_id)

        def renew() -> str:
            secret = new_identity_secret()
            Channel.objects.filter(pk=channel.pk).update(identity_secret=secret)
            return secret

        return secret_asked(
            request,
            self,
            channel,
            title=_("Renew identity secret"),
            question=_("Signatures made with the old secret stop working at once. Make a new one?"),
            hint=_("Put it into your site's server now. The old one has ended."),
            make=renew,
        )
