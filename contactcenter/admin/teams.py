"""Teams, their hours and holidays."""

from datetime import time
from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2Widget

from contactcenter.administration.base import CenterModelAdmin, CenterTabularInline
from contactcenter.administration.pages import links_to
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES
from contactcenter.hours import is_open, opens_at
from contactcenter.models import Holiday, OpeningHours, Team

from .centers import zone_choices

MINUTES = 24 * 60


class OpeningHoursForm(CenterForm):
    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        opens, closes = found.get("opens"), found.get("closes")
        if opens and closes is not None and closes != time(0) and closes <= opens:
            self.add_error(
                "closes",
                _("Closes before it opens. Over midnight: one line until 00:00, one from 00:00 on the next day."),
            )
        return found


class OpeningHoursInline(CenterTabularInline):
    model = OpeningHours
    form = OpeningHoursForm
    tab = True


class HolidayInline(CenterTabularInline):
    model = Holiday
    tab = True
    verbose_name_plural = _("holidays of this team alone")


class TeamForm(CenterForm):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: zone_choices(_("The center's")),
        widget=UnfoldAdminSelect2Widget,
    )


@register(Team, site=SITES[0])
@register(Team, site=SITES[1])
class TeamAdmin(CenterModelAdmin):
    form = TeamForm
    list_display = ("name", "key", "mode", "strategy", "open_now", "is_default", "is_active")
    list_filter = ("is_active", "mode", "strategy")
    search_fields = ("name", "key")
    list_select_related = ("center",)
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("week", "used_by")
    inlines = (OpeningHoursInline, HolidayInline)
    fieldsets = (
        (None, {"fields": (("name", "key"), ("is_active", "is_default"), "languages", "used_by")}),
        (_("Hours"), {"fields": (("always_open", "time_zone"), "week")}),
        (
            _("Who gets the next chat"),
            {
                "fields": (
                    ("mode", "strategy"),
                    ("invitation_seconds", "target_seconds"),
                    ("search_seconds", "on_nobody"),
                )
            },
        ),
        (
            _("When somebody goes away"),
            {
                "classes": ["tab"],
                "fields": (
                    "grace_seconds",
                    ("away_reminder_seconds", "away_close_seconds"),
                    ("idle_reminder_seconds", "idle_close_seconds"),
                ),
            },
        ),
        (_("Texts"), {"classes": ["tab"], "fields": ("greeting", "reminder", "closing")}),
    )

    @display(description=_("open now"), boolean=True)
    def open_now(self, obj: Team) -> bool:
        return is_open(obj, timezone.now())

    @display(description=_("the week"))
    def week(self, obj: Team) -> str:
        """Seven bars of 24 hours, as saved."""
        if obj._state.adding:
            return str(_("Save first."))
        spans = list(obj.opening_hours.all())
        days = [
            {
                "name": name,
                "spans": [_bar(span) for span in spans if span.weekday == number]
                if not obj.always_open
                else [(0, MINUTES)],
            }
            for number, name in OpeningHours.Weekday.choices
        ]
        context = {"days": days, "team": obj, "opens_at": opens_at(obj, timezone.now()), "is_open": self.open_now(obj)}
        return render_to_string("administration/week.html", context)

    @display(description=_("used by"))
    def used_by(self, obj: Team) -> Any:
        return links_to(
            self.admin_site,
            obj,
            ("agents_agent", "memberships__team__id__exact", _("agents"), obj.memberships.count()),
            ("contactcenter_channel", "team__id__exact", _("channels"), obj.channels.count()),
            ("chats_chat", "team__id__exact", _("chats"), obj.chats.count()),
            ("agents_cannedreply", "team__id__exact", _("canned replies"), obj.canned_replies.count()),
            ("chats_offlinemessage", "team__id__exact", _("offline messages"), obj.offline_messages.count()),
        )


def _bar(span: OpeningHours) -> tuple[int, int]:
    """(start, length) in minutes of the day."""
    start = span.opens.hour * 60 + span.opens.minute
    end = span.closes.hour * 60 + span.closes.minute or MINUTES
    return start, max(end - start, 0)


@register(Holiday, site=SITES[0])
@register(Holiday, site=SITES[1])
class HolidayAdmin(CenterModelAdmin):
    list_display = ("date", "name", "team")
    list_filter = ("team",)
    search_fields = ("name",)
    fields = ("date", "name", "team")
    date_hierarchy = "date"
