"""Inbound rules: to whom messages that come in go, what is answered at once, what is noted. Programs may keep them, too (docs/protocols/comapi.md)."""

from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from chats.actions.rules import ANY, CHANNELS, text_of
from chats.actions.text import MAX_TEXT
from chats.models import InboundRule
from contactcenter.administration.base import CenterModelAdmin
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES

NAMES = {
    "sms": _("SMS"),
    "email": _("Email"),
    "fbMessenger": _("Facebook"),
    "appMessaging": _("App"),
    "whatsApp": "WhatsApp",
    "rcs": "RCS",
}
MOST_PROPERTIES, MOST_NAME, MOST_VALUE = 50, 100, 1000
REPLY, UPDATE, START = InboundRule.Action.REPLY, InboundRule.Action.UPDATE, InboundRule.Action.START_CHAT


class RuleForm(CenterForm):
    channel = forms.ChoiceField(
        label=_("Channel"), choices=[(name, NAMES[name]) for name in CHANNELS], widget=UnfoldAdminSelectWidget()
    )
    reply = forms.CharField(
        label=_("Answer"),
        required=False,
        max_length=MAX_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "dir": "auto"}),
        help_text=_("Said at once below each message that fits."),
    )
    properties = forms.CharField(
        label=_("Data"),
        required=False,
        max_length=MOST_PROPERTIES * (MOST_NAME + MOST_VALUE),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "dir": "auto"}),
        help_text=_("One a line: name = value. name, email and phoneNumber are the customer's own fields."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        data = self.instance.action_data or {}
        self.initial["reply"] = text_of(data)
        pairs = data.get("profileUpdate") or []
        self.initial["properties"] = "\n".join(f"{one['propertyName']} = {one['propertyValue']}" for one in pairs)

    def clean_inbound(self) -> str:
        return self.cleaned_data["inbound"].strip() or ANY

    def clean_properties(self) -> list[dict[str, Any]]:
        lines = [line for line in self.cleaned_data["properties"].splitlines() if line.strip()]
        pairs = [(name.strip(), sign, value.strip()) for name, sign, value in (line.partition("=") for line in lines)]
        fits = all(name and sign and len(name) <= MOST_NAME and len(value) <= MOST_VALUE for name, sign, value in pairs)
        if not fits or len(pairs) > MOST_PROPERTIES:
            raise forms.ValidationError(_("Enter one a line, such as: plan = gold"))
        return [{"propertyName": name, "propertyValue": value} for name, _sign, value in pairs]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        needed = {START: "team", REPLY: "reply", UPDATE: "properties"}.get(found.get("action", ""))
        if needed and needed not in self.errors and not found.get(needed):
            self.add_error(needed, _("This is what the rule does: fill it in."))
        self.instance.action_data = self._action_data(found)
        return found

    def _action_data(self, found: dict[str, Any]) -> dict[str, Any]:
        """What stands on the page, and what a program said beside it as long as that does not change."""
        kept = dict(self.instance.action_data or {})
        if "reply" in self.changed_data:
            kept["messageParts"] = [{"type": "text/plain", "data": found.get("reply", "")}]
        if "properties" in self.changed_data:
            kept["profileUpdate"] = found.get("properties", [])
        return {name: value for name, value in kept.items() if value and value[0].get("data", True)}


@register(InboundRule, site=SITES[0])
@register(InboundRule, site=SITES[1])
class InboundRuleAdmin(CenterModelAdmin):
    form = RuleForm
    list_display = ("called", "channel_name", "inbound", "keyword", "action", "team", "made_by")
    list_filter = ("channel", "action", "team")
    list_select_related = ("team", "registration")
    search_fields = ("inbound", "keyword")
    readonly_fields = ("made_by", "created_at")
    fieldsets = (
        (
            None,
            {
                "fields": (("channel", "inbound"), "keyword"),
                "description": _("For which messages. The oldest rule that fits takes a new chat."),
            },
        ),
        (_("What happens"), {"fields": (("action", "team"), "reply", "properties")}),
        (_("History"), {"fields": (("made_by", "created_at"),)}),
    )

    @display(description=_("rule"))
    def called(self, obj: InboundRule) -> str:
        return str(obj)

    @display(description=_("channel"), ordering="channel")
    def channel_name(self, obj: InboundRule) -> str:
        return str(NAMES.get(obj.channel, obj.channel))

    @display(description=_("made by"))
    def made_by(self, obj: InboundRule) -> str:
        return str(obj.registration) if obj.registration_id else str(_("by hand"))

    def save_model(self, request: HttpRequest, obj: InboundRule, form: Any, change: bool) -> None:
        now, who = timezone.now(), f"interactive:{request.user.email or request.user.get_username()}"  # type: ignore[union-attr]
        obj.updated_at, obj.updated_by = now, who[:250]
        if not change:
            obj.created_by = obj.updated_by
        super().save_model(request, obj, form, change)
