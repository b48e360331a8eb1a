"""Applications and their secret keys."""

from typing import Any

from django.contrib.admin import display, register
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from contactcenter.administration.base import CenterModelAdmin, CenterTabularInline
from contactcenter.administration.pages import links_to, secret_asked, secret_shown
from contactcenter.administration.sites import SITES
from contactcenter.models import Application, ApplicationTeam

SHOWN_ONCE = _("Copy it now: it is shown this once and kept only as a fingerprint.")


class ApplicationTeamInline(CenterTabularInline):
    model = ApplicationTeam
    verbose_name = _("team")
    verbose_name_plural = _("teams (none = all)")


@register(Application, site=SITES[0])
@register(Application, site=SITES[1])
class ApplicationAdmin(CenterModelAdmin):
    list_display = ("name", "secret_begins", "may_configure", "last_used_at", "is_active")
    list_filter = ("is_active", "may_configure")
    search_fields = ("name", "public_key")
    readonly_fields = ("secret_begins", "used_by", "created_at", "last_used_at")
    inlines = (ApplicationTeamInline,)
    actions_detail = ("renew_secret_key",)
    fieldsets = (
        (None, {"fields": ("name", ("is_active", "may_configure"))}),
        (_("For browsers"), {"fields": ("public_key", "allowed_origins")}),
        (_("For servers"), {"fields": ("secret_begins", ("created_at", "last_used_at"), "used_by")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One with accesses or web hooks is switched off: with it would go what its clients know by their ids."""
        used = obj is not None and (obj.registrations.exists() or obj.webhooks.exists())
        return not used and super().has_delete_permission(request, obj)

    @display(description=_("used by"))
    def used_by(self, obj: Application) -> Any:
        if obj._state.adding:
            return "–"
        return links_to(
            self.admin_site,
            obj,
            ("contactcenter_registration", "application__id__exact", _("foreign accesses"), obj.registrations.count()),
            ("chats_webhook", "application__id__exact", _("web hooks"), obj.webhooks.filter(deleted_at=None).count()),
        )

    @display(description=_("secret key"))
    def secret_begins(self, obj: Application) -> str:
        if obj._state.adding:
            return str(_("Made and shown when you save."))
        return f"{obj.secret_hint}…" if obj.secret_hint else str(_("none yet"))

    def response_add(self, request: HttpRequest, obj: Application, post_url_continue: Any = None) -> HttpResponse:
        """The first secret key, at once."""
        return secret_shown(
            request, self, obj, title=_("Secret key of “%s”") % obj, secret=obj.renew_secret(), hint=SHOWN_ONCE
        )

    @action(description=_("Renew secret key"), url_path="renew-secret-key", icon="autorenew")
    def renew_secret_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        application = self.own(request, object_id)
        return secret_asked(
            request,
            self,
            application,
            title=_("Renew secret key"),
            question=_("The old key stops working at once. Make a new one?"),
            hint=SHOWN_ONCE,
            make=application.renew_secret,
        )
