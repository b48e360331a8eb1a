"""The forms of a carrier: first which channel it is for, then what its provider wants to know, a field for each of its settings."""

from typing import Any

from django import forms
from django.forms.models import ModelFormMetaclass
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from chats.carriers.provider import Provider, Setting
from chats.carriers.registry import PROVIDERS
from chats.errors import Invalid
from chats.models import Carrier
from contactcenter.administration.scope import CenterForm

MOST_CHARACTERS = 500
MOST_NUMBER = 2**31 - 1
KEPT = _("One is kept. Leave it empty to keep it.")


def default_of(setting: Setting) -> Any:
    default = setting.default() if callable(setting.default) else setting.default
    return bool(default) if setting.kind == "flag" else default


def name_of(setting: Setting) -> str:
    """Its field's. What begins with "secret" is hidden in the audit log."""
    return f"secret_{setting.name}" if setting.kind == "secret" else f"setting_{setting.name}"


def made_secrets(provider: Provider) -> list[Setting]:
    """Those that we make, and that are entered at the provider."""
    return [setting for setting in provider.settings if setting.kind == "secret" and callable(setting.default)]


class ChooseChannelForm(CenterForm):
    """A new carrier: off, with what goes without saying."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel: Any = self.fields["channel"]
        channel.queryset = channel.queryset.filter(kind__in=Carrier.KINDS.values(), carrier=None)
        channel.help_text = _("One for SMS, email, Facebook or an app that has none yet. Its page says our own address there, where it has one.")
        self.fields["provider"].choices = [  # type: ignore[attr-defined]
            ("", "---------"),
            *((value, label) for value, label in Carrier.Provider.choices if value in PROVIDERS),
        ]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        channel, name = found.get("channel"), found.get("provider")
        if not channel or not name:
            return found
        if Carrier.KINDS[name] != channel.kind:
            self.add_error("provider", _("This provider is for another kind of channel."))
            return found
        provider = PROVIDERS[name]
        try:
            provider.own_address(channel.address)
        except Invalid as refused:
            self.add_error("channel", _("Enter our own address on the channel's page first. %s") % sentence_of(refused))
        self.instance.is_active = False
        self.instance.settings = {one.name: default_of(one) for one in provider.settings if one.kind != "secret"}
        self.instance.keep_secrets({one.name: default_of(one) for one in made_secrets(provider)})
        return found


class SettingsForm(CenterForm):
    """`offered`: the settings whose fields the class has."""

    offered: tuple[Setting, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.secrets
        for setting in self.offered:
            name = name_of(setting)
            if setting.kind != "secret":
                self.initial[name] = self.instance.settings.get(setting.name, default_of(setting))
            elif kept.get(setting.name):
                self.fields[name].required = False
                self.fields[name].help_text = _joined(setting.help, KEPT)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        given = {one: found[name_of(one)] for one in self.offered if name_of(one) in found}
        plain = {one.name: value for one, value in given.items() if one.kind != "secret"}
        self.instance.settings = self.instance.settings | plain
        self.instance.keep_secrets({one.name: value for one, value in given.items() if one.kind == "secret" and value})
        return found


def settings_form(provider: str) -> type[SettingsForm]:
    """The form with a field for each of its settings; a provider that we do not know any more has none."""
    offered = PROVIDERS[provider].settings if provider in PROVIDERS else ()
    fields = {name_of(setting): _field(setting) for setting in offered}
    made: Any = ModelFormMetaclass("SettingsForm", (SettingsForm,), {"offered": offered, **fields})
    return made  # type: ignore[no-any-return]


def sentence_of(refused: Invalid) -> str:
    return " ".join(str(why) for why in (refused.fields or {"": refused.message}).values())


def _field(setting: Setting) -> forms.Field:
    label = capfirst(str(setting.label))
    options: dict[str, Any] = {"label": label, "help_text": setting.help, "required": setting.is_required}
    match setting.kind:
        case "flag":
            return forms.BooleanField(**options | {"required": False}, widget=UnfoldBooleanSwitchWidget)
        case "number":
            return forms.IntegerField(
                **options, min_value=0, max_value=MOST_NUMBER, widget=UnfoldAdminIntegerFieldWidget
            )
        case "choice":
            return forms.ChoiceField(**options, choices=setting.choices, widget=UnfoldAdminSelectWidget)
        case "secret":
            widget: Any = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "dir": "ltr"})
            if setting.most:
                # A line of dots would take the file's line ends away. What is kept is not shown here either.
                signs = {"autocomplete": "off", "spellcheck": "false", "dir": "ltr", "rows": 3}
                widget = UnfoldAdminTextareaWidget(attrs=signs)
            return forms.CharField(**options, max_length=setting.most or MOST_CHARACTERS, widget=widget)
    # Names of servers and accounts stay as they are on pages that read from right to left.
    widget = UnfoldAdminTextInputWidget(attrs={"dir": "auto", "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(**options, max_length=MOST_CHARACTERS, widget=widget)


def _joined(*sentences: Any) -> str:
    return " ".join(str(sentence) for sentence in sentences if sentence)
