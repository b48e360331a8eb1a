"""Contact centers and the installation."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.admin import display, register
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget

from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES, operator_site
from contactcenter.colour import check_accent, contrast, is_faint, text_on
from contactcenter.models import ContactCenter, Installation


def zone_choices(blank: Any = None) -> list[tuple[str, Any]]:
    """All time zones by name, after an empty choice where one is allowed."""
    first = [("", blank)] if blank is not None else []
    return [*first, *((zone, zone) for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC")]


class ContactCenterForm(CenterForm):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, widget=UnfoldAdminSelect2Widget)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget)

    class Meta:
        widgets = {"accent": UnfoldAdminColorInputWidget(attrs={"type": "color"})}

    def clean_accent(self) -> str:
        check_accent(self.cleaned_data["accent"])
        accent: str = self.cleaned_data["accent"].lower()
        return accent


@register(ContactCenter, site=SITES[0])
@register(ContactCenter, site=SITES[1])
class ContactCenterAdmin(CenterModelAdmin):
    """A center's admin shapes the own center; operators make centers and end them (a center is switched off, never deleted)."""

    form = ContactCenterForm
    center_lookup = "pk"
    may_delete = False
    list_display = ("name", "slug", "host", "language", "time_zone", "is_active", "created_at")
    list_filter = ("is_active", "language")
    search_fields = ("name", "slug", "host")
    readonly_fields = ("colours", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "time_zone", "language")}),
        (_("Look"), {"fields": ("accent", "colours", "logo")}),
        (_("Address"), {"fields": ("slug", "host", "is_active", "created_at")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A center's admin has one, so its page is the list."""
        center = self.admin_site.center_of(request)
        if center is None:
            return super().changelist_view(request, extra_context)
        return redirect(reverse("admin:contactcenter_contactcenter_change", args=[center.pk]))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_operators and super().has_add_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if self.is_operators else [*fixed, "slug", "host", "is_active"]

    @display(description=_("readable"))
    def colours(self, obj: ContactCenter) -> str:
        accent = obj.accent or "#2f6fed"
        text = text_on(accent)
        context = {
            "accent": accent,
            "text": text,
            "contrast": f"{contrast(accent, text):.1f}",
            "is_faint": is_faint(accent),
        }
        return render_to_string("administration/colours.html", context)


@register(Installation, site=operator_site)
class InstallationAdmin(ReadOnly, CenterModelAdmin):
    center_lookup = "pk"
    list_display = ("epoch", "canary_at")
    fields = ("epoch", "canary_at")
