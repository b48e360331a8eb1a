"""Foreign accesses: the ids and keys by which another API's clients know an application."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminPasswordWidget

from contactcenter.administration.base import CenterModelAdmin, CenterTabularInline
from contactcenter.administration.pages import links_to, secret_asked, secret_shown
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES
from contactcenter.models import ApiSpace, Channel, Registration, RegistrationTeam

from .api_spaces import ApiSpaceActions, ApiSpaceInline
from .applications import SHOWN_ONCE
from .speeches import HINT, NOT_YET, SPEECHES, UNDECIDED


class RegistrationForm(CenterForm):
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        strip=True,
        max_length=200,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance._state.adding
        self._name_fields(is_new)
        if "secret" in self.fields:
            self.fields["secret"].help_text = (
                _(
                    "HyperChat's, or Comapi's access token: the one that your clients send already. Leave it empty to have one made, for Expertflow's connectors too."
                )
                if is_new
                else _("Enter another one to replace it, or leave it empty to keep it.")
            )
        if is_new and "channel" in self.fields:
            self.fields["channel"].help_text = _(
                "Chats that begin here belong to it. Best is one of its own, of the kind API; for the Comapi Chat API, of the kind App."
            )
            self.initial.setdefault("channel", self._first_api_channel())

    def _name_fields(self, is_new: bool) -> None:
        speech = SPEECHES[self.instance.protocol]
        for name in self.fields.keys() & (UNDECIDED if is_new else speech.labels):
            if is_new:
                self.fields[name].help_text = UNDECIDED[name]
            else:
                self.fields[name].label, self.fields[name].help_text = speech.labels[name]

    def clean_secret(self) -> str:
        """Tried on the row at once, which says what is wrong with it."""
        secret: str = self.cleaned_data["secret"]
        if secret:
            self.instance.set_secret(secret)
        return secret

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        others = Registration.objects.filter(
            protocol=found.get("protocol", self.instance.protocol), foreign_id=found.get("foreign_id")
        )
        if others.exclude(pk=self.instance.pk).exists():
            # Ids are one for the whole server, so the sentence must not say whose it is.
            self.add_error("foreign_id", _("This application id is taken. Enter another one, or ask the operators."))
        return found

    def _first_api_channel(self) -> Any:
        channels: QuerySet[Channel] = self.fields["channel"].queryset  # type: ignore[attr-defined]
        row = channels.filter(kind=Channel.Kind.API, is_active=True).first() if self.center else None
        return row.pk if row else None


class RoomInline(CenterTabularInline):
    model = RegistrationTeam
    fields = ("team", "foreign_id")
    hide_title = True
    verbose_name = _("room")
    verbose_name_plural = _(
        "rooms, endpoints or subjects: the teams that it reaches, under the names that its clients send"
    )


@register(Registration, site=SITES[0])
@register(Registration, site=SITES[1])
class RegistrationAdmin(ApiSpaceActions, CenterModelAdmin):
    form = RegistrationForm
    list_display = ("foreign_id", "application", "protocol", "secret_begins", "queue_on", "is_active")
    list_filter = ("protocol", "application", "uses_queue", "is_active")
    list_select_related = ("application", "channel")
    search_fields = ("foreign_id", "public_key", "application__name")
    readonly_fields = ("server_address", "origins", "secret_begins", "used_by", "created_at")
    inlines = (RoomInline,)
    actions_detail = ("renew_secret", "renew_password", "renew_shared_secret")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("application", "channel"),
                    ("protocol", "foreign_id"),
                    ("secret", "secret_begins"),
                    "demands_secret",
                    ("uses_queue", "is_active"),
                )
            },
        ),
        (_("For its clients"), {"fields": ("server_address", "public_key", "origins", ("used_by", "created_at"))}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One with chats, customers, web hooks or connectors is switched off: its clients' ids live in them."""
        kept = (obj.chats, obj.customers, obj.webhooks, obj.connectors, obj.inbound_rules) if obj is not None else ()
        used = any(rows.exists() for rows in kept)
        return not used and super().has_delete_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        is_space = obj is not None and obj.protocol == Registration.Protocol.COMAPI
        return (ApiSpaceInline, RoomInline) if is_space else (RoomInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was begun in one API's words is not told in another's."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else [*fixed, "protocol"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without what the API does not know."""
        lacks = SPEECHES[obj.protocol].lacks if obj else NOT_YET
        rows = super().get_fieldsets(request, obj)
        return [(title, {**options, "fields": _without(options["fields"], lacks)}) for title, options in rows]

    @display(description=_("secret begins with"))
    def secret_begins(self, obj: Registration) -> str:
        return f"{obj.secret_hint}…" if obj.secret_hint else "–"

    @display(description=_("queue"), boolean=True, ordering="uses_queue")
    def queue_on(self, obj: Registration) -> bool:
        return obj.uses_queue

    @display(description=_("address of the server"))
    def server_address(self, obj: Registration) -> str:
        """What its clients change, and nothing else."""
        context = {
            "code": settings.BASE_URL + SPEECHES[obj.protocol].mounted_at,
            "hint": SPEECHES[obj.protocol].hint or HINT,
        }
        return render_to_string("administration/snippet.html", context)

    @display(description=_("allowed origins"))
    def origins(self, obj: Registration) -> Any:
        """Those of its application, where they are changed."""
        if obj._state.adding:
            return _("Those of the application.")
        page = reverse(
            "admin:contactcenter_application_change", args=[obj.application_id], current_app=self.admin_site.name
        )
        listed = ", ".join(obj.application.allowed_origins) or _("none yet: no web page can use it")
        return format_html('{} · <a class="text-link" href="{}">{}</a>', listed, page, obj.application)

    @display(description=_("used by"))
    def used_by(self, obj: Registration) -> Any:
        if obj._state.adding:
            return "–"
        if obj.protocol == Registration.Protocol.EXPERTFLOW:
            model, name, kept = "chats_connector", _("connectors"), obj.connectors.count()
        else:
            model, name, kept = "chats_webhook", _("web hooks"), obj.webhooks.filter(deleted_at=None).count()
        return links_to(self.admin_site, obj, (model, "registration__id__exact", name, kept))

    def save_model(self, request: HttpRequest, obj: Registration, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.secret_hash and self.has_secret(obj):
            vars(request)["_made"] = obj.renew_secret()
        if obj.protocol == Registration.Protocol.COMAPI and not change:
            ApiSpace.of(obj)

    def response_add(self, request: HttpRequest, obj: Registration, post_url_continue: Any = None) -> HttpResponse:
        """A secret that was made here is shown at once; one that was entered is known."""
        secret = vars(request).get("_made")
        if secret is None:
            return super().response_add(request, obj, post_url_continue)
        return secret_shown(request, self, obj, title=_("Secret of “%s”") % obj, secret=secret, hint=SHOWN_ONCE)

    @staticmethod
    def has_secret(obj: Registration) -> bool:
        return "secret" not in SPEECHES[obj.protocol].lacks

    def has_renew_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """A stranger's row is not found, which is not said here."""
        registration = self.get_object(request, str(object_id))
        return registration is None or self.has_secret(registration)

    @action(description=_("Renew secret"), url_path="renew-secret", icon="autorenew", permissions=["renew"])
    def renew_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        registration = self.own(request, object_id)
        return secret_asked(
            request,
            self,
            registration,
            title=_("Renew secret"),
            question=_("The old secret stops working at once, in all clients. Make a new one?"),
            hint=SHOWN_ONCE,
            make=registration.renew_secret,
        )


def _without(fields: Sequence[Any], lacks: frozenset[str]) -> list[Any]:
    """The rows of a page without these fields; each row is a name or several beside each other."""
    rows = [(row,) if isinstance(row, str) else tuple(row) for row in fields]
    return [left for row in rows if (left := tuple(name for name in row if name not in lacks))]
