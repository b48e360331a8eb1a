"""Forms that are sent to customers: their words, and their questions, one a line."""

from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from chats.actions.forms import FORM_KEY, KINDS, LONGEST_WORDS, OWN, check_fields
from chats.errors import Invalid
from chats.models import FormTemplate
from contactcenter.administration.base import CenterModelAdmin
from contactcenter.administration.scope import CenterForm
from contactcenter.administration.sites import SITES

EXAMPLE = (
    "name | Your name\nemail | Your email *\nsize | Which size? | select | Small | Large\nwish | What else? | textarea"
)


class QuestionsField(forms.Field):
    """key | label | kind | option | option …, a question a line; a star after the label: it must be answered."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"rows": 8, "placeholder": EXAMPLE, "spellcheck": "false"}
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(_line, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        """Raises ValidationError."""
        if isinstance(value, list):
            return value
        try:
            return check_fields([_question(line) for line in str(value or "").splitlines() if line.strip()])
        except Invalid as refused:
            raise ValidationError(str((refused.fields or {}).get("fields", refused.message))) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(data) != list(initial or [])
        except ValidationError:
            return True


def _line(field: dict[str, Any]) -> str:
    label = f"{field['label']} *" if field["required"] else field["label"]
    kind = [field["kind"]] if field["kind"] != OWN.get(field["key"], "text") else []
    return " | ".join([field["key"], label, *kind, *field["options"]])


def _question(line: str) -> dict[str, Any]:
    key, label, kind, *options = [part.strip() for part in (line + " | | ").split("|")]
    chosen = [one for one in options if one]
    return {"key": key, "label": label, "kind": kind or None, "options": chosen, "required": label.endswith("*")}


class FormTemplateForm(CenterForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "fields" in self.fields:
            hint = _(
                "A question a line: key | label | kind | option | option … A star after the label: it must be"
                " answered. Kinds: %(kinds)s. The keys name, email and phone are the customer's own."
            )
            self.fields["fields"] = QuestionsField(label=_("Questions"), help_text=hint % {"kinds": ", ".join(KINDS)})

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not FORM_KEY.fullmatch(key):
            raise ValidationError(_("Letters, digits and . _ : - alone."))
        return key

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if len(text) > LONGEST_WORDS:
            raise ValidationError(_("2,000 characters at most."))
        return text


@register(FormTemplate, site=SITES[0])
@register(FormTemplate, site=SITES[1])
class FormTemplateAdmin(CenterModelAdmin):
    form = FormTemplateForm
    list_display = ("name", "key", "asks", "updated_at")
    search_fields = ("name", "key")
    prepopulated_fields = {"key": ("name",)}
    fieldsets = ((None, {"fields": (("name", "key"), "text", "fields")}),)

    @display(description=_("questions"))
    def asks(self, obj: FormTemplate) -> int:
        return len(obj.fields)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.updated_at = timezone.now()
        super().save_model(request, obj, form, change)
