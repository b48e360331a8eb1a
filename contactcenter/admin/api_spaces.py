"""An API space on the page of its foreign access: what programs and apps of the Chat API show beside the access token."""

from typing import Any

from django import forms
from django.contrib.admin import display
from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget

from contactcenter.administration.base import CenterStackedInline
from contactcenter.administration.pages import secret_asked
from contactcenter.administration.scope import CenterForm
from contactcenter.models import ApiSpace, Registration
from contactcenter.models.api_space import new_shared_secret
from contactcenter.models.registration import LEAST_SECRET, PLAIN

from .applications import SHOWN_ONCE

KEPT = _("Enter another one to replace it, or leave it empty to keep it.")
MOST_SECRET = 200  # characters


def _entered(label: Any, help_text: Any = KEPT) -> forms.CharField:
    """A secret that somebody brings along; it is never shown again."""
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "dir": "ltr"})
    rules: list[Any] = [MinLengthValidator(LEAST_SECRET), MaxLengthValidator(MOST_SECRET), PLAIN]
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget, validators=rules)


class ApiSpaceForm(CenterForm):
    password = _entered(_("Password"))
    new_shared_secret = _entered(
        _("Shared secret"),
        _(
            "With it your site's or app's server signs its customers' tokens (HS256). Enter the one that it uses already, or have a new one made and shown above."
        ),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("password"):
            self.instance.set_password(found["password"])
        if found.get("new_shared_secret"):
            self.instance.shared_secret = found["new_shared_secret"]
        return found


class ApiSpaceInline(CenterStackedInline):
    model = ApiSpace
    form = ApiSpaceForm
    max_num = 1
    can_delete = False
    hide_title = True
    verbose_name = _("API space")
    verbose_name_plural = _("API space: what programs and apps show")
    readonly_fields = ("password_begins",)
    fields = (
        ("user_name", "account_number"),
        ("password", "password_begins"),
        "new_shared_secret",
        ("issuer", "audience"),
        ("id_claim", "allows_anonymous"),
    )

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj and ApiSpace.objects.filter(registration=obj).exists() else 1

    @display(description=_("password begins with"))
    def password_begins(self, obj: ApiSpace) -> str:
        return f"{obj.password_hint}…" if obj.password_hint else str(_("none yet"))


class ApiSpaceActions:
    """Buttons of a foreign access that is an API space."""

    own: Any
    get_object: Any

    def has_space_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """A stranger's row is not found, which is not said here."""
        registration = self.get_object(request, str(object_id))
        return registration is None or registration.protocol == Registration.Protocol.COMAPI

    @action(description=_("Renew password"), url_path="renew-password", icon="autorenew", permissions=["space"])
    def renew_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration = self.own(request, object_id)
        return secret_asked(
            request,
            self,
            registration,
            title=_("Renew password"),
            question=_("The old password stops working at once, in all programs. Make a new one?"),
            hint=SHOWN_ONCE,
            make=lambda: ApiSpace.of(registration).renew_password(),
        )

    @action(
        description=_("Renew shared secret"), url_path="renew-shared-secret", icon="autorenew", permissions=["space"]
    )
    def renew_shared_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration = self.own(request, object_id)

        def make() -> str:
            space = ApiSpace.of(registration)
            space.shared_secret = new_shared_secret()
            space.save(update_fields=["shared_secret"])
            return space.shared_secret

        return secret_asked(
            request,
            self,
            registration,
            title=_("Renew shared secret"),
            question=_("Tokens that were signed with the old one are refused at once. Make a new one?"),
            hint=_("Copy it now: it is shown this once and kept encrypted."),
            make=make,
        )
