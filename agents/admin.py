"""Seats and what agents have at hand, in the two admins."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import display, register
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget

from contactcenter.accounts import end_sessions, find_person, new_user, send_welcome
from contactcenter.administration.base import CenterModelAdmin, CenterTabularInline
from contactcenter.administration.pages import links_to
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES
from contactcenter.models import User

from .models import Agent, CannedReply, Disposition, Membership, Presence
from .seats import prepare_seat, set_capacity

ENDS_SESSIONS = {"role", "is_active"}
WELCOME_PAUSE = 60  # seconds between two welcome mails to one person


class AgentAddForm(CenterForm):
    """A new seat. Whether the person has an account already is nobody's business here: the form answers alike."""

    email = forms.EmailField(
        label=_("Email"),
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_(
            "Whose seat it is. We write to this address, with a link to set a password if needed. Bots need none."
        ),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        email, center = found.get("email"), getattr(self.instance, "center", None) or found.get("center")
        if not email and not found.get("is_bot") and "email" not in self.errors:
            self.add_error("email", _("A person needs an email address."))
        elif email and center and Agent.objects.filter(center=center, user=find_person(email)).exists():
            self.add_error("email", _("This person has a seat in this contact center already."))
        return found


class AgentChangeForm(CenterForm):
    def clean(self) -> dict[str, Any]:
        """A center keeps somebody who can administer it."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        stays = found.get("role") == Agent.Role.ADMIN and found.get("is_active")
        admins = Agent.objects.active().filter(center=self.instance.center_id, role=Agent.Role.ADMIN)
        was = admins.filter(pk=self.instance.pk).exists()
        if was and not stays and not admins.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This is the center's last administrator. Give somebody else the role first."))
        return found


class MembershipInline(CenterTabularInline):
    model = Membership
    verbose_name = _("team")
    verbose_name_plural = _("teams")


@register(Agent, site=SITES[0])
@register(Agent, site=SITES[1])
class AgentAdmin(CenterModelAdmin):
    """Seats. The person behind one is an account that only operators edit."""

    form = AgentChangeForm
    list_display = ("name", "sign_in", "role", "status", "slots_used", "is_bot", "is_active")
    list_filter = ("role", "memberships__team", "is_bot", "is_active")
    search_fields = ("name", "user__username", "user__email")
    readonly_fields = ("sign_in", "status", "slots_used", "used_by", "created_at")
    inlines = (MembershipInline,)
    actions_detail = ("send_welcome_again", "sign_out_everywhere")
    list_select_related = ("user", "presence")
    fieldsets = (
        (None, {"fields": (("name", "role"), ("sign_in", "is_active"), "avatar")}),
        (_("What they take"), {"fields": (("capacity", "slots_used"), "languages", "skills")}),
        (_("Now"), {"fields": (("status", "used_by"), ("is_bot", "created_at"))}),
    )
    add_fieldsets = (
        (None, {"fields": (("name", "role"), ("email", "is_bot"))}),
        (_("What they take"), {"fields": ("capacity", "languages", "skills")}),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).prefetch_related("occupations")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = AgentAddForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # A person's seat that became a bot's would let a center's admin make a password for that person's account.
        fixed = super().get_readonly_fields(request, obj)
        return fixed if self.is_operators or obj is None else [*fixed, "is_bot"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever took part in chats stays in their logs: switch the seat off instead."""
        used = obj is not None and (obj.chats.exists() or obj.participations.exists())
        return not used and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        if not change:
            obj.user = self._person(obj, form.cleaned_data)
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if not change:
                prepare_seat(obj)
            elif "capacity" in form.changed_data:
                set_capacity(obj, obj.capacity)
        if not change and not obj.is_bot:
            send_welcome(obj.user, obj.center)
        if change and ENDS_SESSIONS.intersection(form.changed_data):
            end_sessions(obj.user, but=request)

    def _person(self, obj: Agent, found: dict[str, Any]) -> User:
        if obj.is_bot:
            return new_user(f"{obj.center.slug}-{obj.name.lower().replace(' ', '-')}", name=obj.name)
        email = found["email"].lower()
        return find_person(email) or new_user(email, email=email, name=obj.name)

    @display(description=_("signs in as"))
    def sign_in(self, obj: Agent) -> str:
        return (obj.user.email or obj.user.get_username()) if not obj._state.adding else "–"

    @display(description=_("status"))
    def status(self, obj: Agent) -> str:
        """What the desk says of the agent: the chosen status while the client is there."""
        presence: Presence | None = getattr(obj, "presence", None)
        if presence is None or not presence.is_leased(timezone.now()):
            return str(Presence.Status.OFFLINE.label)
        return presence.get_status_display()

    @display(description=_("slots in use"))
    def slots_used(self, obj: Agent) -> str:
        if obj._state.adding:
            return "–"
        return str(_("%(used)s of %(all)s")) % {"used": len(obj.occupations.all()), "all": obj.capacity}

    @display(description=_("used by"))
    def used_by(self, obj: Agent) -> Any:
        return links_to(self.admin_site, obj, ("chats_chat", "agent__id__exact", _("chats"), obj.chats.count()))

    @action(description=_("Send the welcome mail again"), url_path="welcome", icon="mail")
    def send_welcome_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        agent = self.own(request, object_id)
        if request.method == "POST":
            if not cache.add(f"welcome:{agent.pk}", 1, WELCOME_PAUSE):
                messages.warning(request, _("We wrote a moment ago. Wait a minute before you try again."))
                return self._back(agent)
            send_welcome(agent.user, agent.center)
            self.note(request, "welcome mail sent", agent)
            messages.success(request, _("We write to %s.") % self.sign_in(agent))
            return self._back(agent)
        return self.ask(request, agent, _("Send the welcome mail again"), _("Write to this person how to sign in?"))

    @action(description=_("Sign out everywhere"), url_path="sign-out", icon="logout")
    def sign_out_everywhere(self, request: HttpRequest, object_id: str) -> HttpResponse:
        agent = self.own(request, object_id)
        if request.method == "POST":
            end_sessions(agent.user, but=request)
            self.note(request, "signed out everywhere", agent)
            messages.success(request, _("%s is signed out on all devices.") % agent)
            return self._back(agent)
        return self.ask(request, agent, _("Sign out everywhere"), _("End all of this person's sessions?"))

    def _back(self, agent: Agent) -> HttpResponse:
        return HttpResponseRedirect(
            reverse("admin:agents_agent_change", args=[agent.pk], current_app=self.admin_site.name)
        )


@register(CannedReply, site=SITES[0])
@register(CannedReply, site=SITES[1])
class CannedReplyAdmin(CenterModelAdmin):
    list_display = ("title", "shortcut", "team", "language")
    list_filter = ("team", "language")
    search_fields = ("title", "shortcut", "text")
    fieldsets = ((None, {"fields": (("title", "shortcut"), "text", ("team", "language"))}),)


@register(Disposition, site=SITES[0])
@register(Disposition, site=SITES[1])
class DispositionAdmin(CenterModelAdmin):
    list_display = ("name", "order", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    readonly_fields = ("used_by",)
    fieldsets = ((None, {"fields": ("name", ("order", "is_active"), "used_by")}),)

    @display(description=_("used by"))
    def used_by(self, obj: Disposition) -> Any:
        count = obj.center.chats.filter(disposition=obj).count() if not obj._state.adding else 0
        return links_to(self.admin_site, obj, ("chats_chat", "disposition__id__exact", _("chats"), count))
