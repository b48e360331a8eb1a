"""People (operators only) and their programs' passwords."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.admin import display, register
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from agents.models import Agent
from contactcenter.accounts import end_sessions
from contactcenter.administration.base import CenterModelAdmin
from contactcenter.administration.pages import secret_shown
from contactcenter.administration.sites import SITES, operator_site
from contactcenter.models import ApplicationPassword, User

from .applications import SHOWN_ONCE

ENDS_SESSIONS = {"is_active", "is_superuser", "password", "username", "email"}


@register(User, site=operator_site)
class UserAdmin(DjangoUserAdmin, CenterModelAdmin):  # type: ignore[misc]
    """A person of the installation. Centers' admins never see this list: they edit seats."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    center_lookup = "pk"
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    readonly_fields = ("seats_shown", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": (("username", "email"), ("first_name", "last_name"), "password", "seats_shown")}),
        (_("Rights"), {"fields": (("is_active", "is_superuser"),)}),
        (_("Dates"), {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets = ((None, {"classes": ["wide"], "fields": ("username", "email", "password1", "password2")}),)

    @display(description=_("seats"))
    def seats_shown(self, obj: User) -> Any:
        seats = obj.seats.select_related("center") if not obj._state.adding else []
        rows = (
            (reverse("operator:agents_agent_change", args=[seat.pk]), seat.center, seat.get_role_display())
            for seat in seats
        )
        return format_html_join(" · ", '<a class="text-link" href="{}">{}: {}</a>', rows) or "–"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and ENDS_SESSIONS.intersection(form.changed_data):
            end_sessions(obj, but=request)
        if obj.email and "email" in form.changed_data:
            # The operator vouches for the address.
            EmailAddress.objects.filter(user=obj).exclude(email__iexact=obj.email).delete()
            EmailAddress.objects.update_or_create(
                user=obj, email=obj.email.lower(), defaults={"verified": True, "primary": True}
            )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            user = self.own(request, id)
            self.note(request, "password changed", user)
            end_sessions(user, but=request)
        return response


@register(ApplicationPassword, site=SITES[0])
@register(ApplicationPassword, site=SITES[1])
class ApplicationPasswordAdmin(CenterModelAdmin):
    """A center's admin gives passwords to the center's own bots: a person's would open that person's other centers too."""

    may_change = False
    list_display = ("name", "user", "created_at", "last_used_at")
    search_fields = ("name", "user__username")
    fields = ("user", "name")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = ApplicationPassword.objects.select_related("user")
        return rows if self.is_operators else rows.filter(user__in=self._bots(request))

    def owns(self, request: HttpRequest, obj: ApplicationPassword) -> bool:
        return self.is_operators or self._bots(request).filter(pk=obj.user_id).exists()

    def choices_of(self, db_field: Any, request: HttpRequest, rows: "QuerySet[Any] | None") -> "QuerySet[Any]":
        return User.objects.order_by("username") if self.is_operators else self._bots(request)

    def _bots(self, request: HttpRequest) -> "QuerySet[User]":
        """Accounts of which every seat is a bot's in this center."""
        center = self.admin_site.center_of(request)
        others = Agent.objects.exclude(center=center, is_bot=True)
        bots = User.objects.filter(is_superuser=False, seats__center=center, seats__is_bot=True)
        return bots.exclude(seats__in=others).distinct().order_by("username")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        issued, secret = ApplicationPassword.issue(obj.user, obj.name)
        obj.pk, obj._state.adding = issued.pk, False
        vars(request)["_issued"] = secret

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        secret = vars(request)["_issued"]
        return secret_shown(request, self, obj, title=_("Password “%s”") % obj, secret=secret, hint=SHOWN_ONCE)
