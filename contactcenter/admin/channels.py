"""Channels with the widget's look, the form before the chat, and the identity secret."""

from typing import Any

from django.conf import settings
from django.contrib.admin import display, register
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

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


@register(Channel, site=SITES[0])
@register(Channel, site=SITES[1])
class ChannelAdmin(CenterModelAdmin):
    list_display = ("name", "kind", "team", "origins", "is_active")
    list_filter = ("kind", "team", "is_active")
    search_fields = ("name", "key")
    readonly_fields = ("preview", "snippet", "secret", "created_at", "used_by")
    inlines = (WidgetSettingsInline, FormFieldInline)
    actions_detail = ("show_identity_secret", "renew_identity_secret")
    fieldsets = (
        (None, {"fields": (("name", "kind"), ("team", "is_active"), "allowed_origins", "used_by")}),
        (_("On your site"), {"fields": ("snippet", "preview")}),
        (_("Keys"), {"fields": ("key", "secret", "created_at")}),
    )

    @display(description=_("allowed origins"))
    def origins(self, obj: Channel) -> str:
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
