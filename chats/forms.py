"""The page on which a customer fills in a form: reached by a signed link, which is said in the chat.

The link is all that it takes, so the page shows nothing of the chat but the center's name, the form's questions and the answers that came by this link.
"""

from typing import Any

from django import forms
from django.core import signing
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from .actions.forms import MOST_ANSWERS, answer_form, answers_of
from .doors.throttles import Rate, count
from .errors import Refused
from .form_links import Sending, read_link
from .models import Chat, FormTemplate
from .surveys import LinkOver, accent_sheet, language_of

BY_CHAT = Rate("forms", 10)
PHONE = RegexValidator(r"^\+?[0-9][0-9 ()/.-]{3,30}\Z", _("Enter a telephone number."))
LONGEST = {"text": 300, "email": 254, "phone": 32, "textarea": 4_000, "select": 100}
OWN_LENGTH = {"name": 100, "email": 254, "phone": 32}  # of the customer's fields


class Questions(forms.Form):
    """A form template's questions, in their order. `answers`: by their keys, once it is valid."""

    def __init__(self, template: FormTemplate, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = {f"q{number}": field["key"] for number, field in enumerate(template.fields)}
        for number, field in enumerate(template.fields):
            self.fields[f"q{number}"] = _question(field)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if sum(len(value) for value in found.values()) > MOST_ANSWERS:
            raise forms.ValidationError(_("This is more than a form can hold. Please write less."))
        return found

    @property
    def answers(self) -> dict[str, str]:
        return {key: self.cleaned_data[name] for name, key in self.keys.items()}


def _question(field: dict[str, Any]) -> forms.Field:
    kind = field["kind"]
    attrs: dict[str, Any] = {"dir": "auto"}
    if field["key"] in ("name", "email"):
        attrs["autocomplete"] = field["key"]
    options: dict[str, Any] = {"label": field["label"], "required": field["required"]}
    if kind == "select":
        choices = [("", _("Choose …")), *((one, one) for one in field["options"])]
        return forms.ChoiceField(choices=choices, **options)
    options["max_length"] = min(LONGEST[kind], OWN_LENGTH.get(field["key"], LONGEST[kind]))
    if kind == "email":
        return forms.EmailField(widget=forms.EmailInput(attrs=attrs | {"dir": "ltr"}), **options)
    if kind == "phone":
        phone = forms.TextInput(attrs=attrs | {"type": "tel", "dir": "ltr", "autocomplete": "tel"})
        return forms.CharField(widget=phone, validators=[PHONE], **options)
    if kind == "textarea":
        return forms.CharField(widget=forms.Textarea(attrs=attrs | {"rows": 4}), **options)
    return _Line(widget=forms.TextInput(attrs=attrs), **options)


class _Line(forms.CharField):
    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())


# What the link allows is all that the page does, with cookies or without: no other site gains by sending somebody's browser here.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: HttpRequest, token: str) -> HttpResponse:
    """/form/<token>/: the questions, thanks, or why there are none."""
    try:
        sending, chat, template = _find(token)
    except signing.BadSignature:
        return render(request, "form/form.html", {"state": "wrong"}, status=404)
    except LinkOver:
        return render(request, "form/form.html", {"state": "over"}, status=410)
    with translation.override(language_of(chat) or translation.get_language()):
        page = Page(request, token, sending, chat, template)
        return page.answer() if request.method == "POST" else page.show()


@require_safe
def form_colours(request: HttpRequest, token: str) -> HttpResponse:
    """The center's accent as a style sheet of its own: the page may have no inline style."""
    try:
        accent = _find(token)[1].center.accent
    except (signing.BadSignature, LinkOver):
        return HttpResponse(content_type="text/css")
    return accent_sheet(accent)


class Page:
    def __init__(self, request: HttpRequest, token: str, sending: Sending, chat: Chat, template: FormTemplate) -> None:
        self.request, self.token = request, token
        self.sending, self.chat, self.template = sending, chat, template

    def answer(self) -> HttpResponse:
        """A second sending changes nothing: the page shows what came first."""
        here = HttpResponseRedirect(reverse("form", args=[self.token]))
        if answers_of(self.sending) is not None:
            return here
        form = Questions(self.template, self.request.POST)
        try:
            count(BY_CHAT, str(self.chat.pk))
            if not form.is_valid():
                return self.show(form, status=400)
            answer_form(self.sending, self.template, form.answers, now=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused.message))
            return self.show(form, status=429 if refused.code == "too_many" else 400)
        return here

    def show(self, form: Questions | None = None, status: int = 200) -> HttpResponse:
        sent = answers_of(self.sending)
        context = {
            "state": "thanks" if sent else "form",
            "center": self.chat.center,
            "token": self.token,
            "title": self.template.name,
            "form": form or Questions(self.template),
            "answers": sent.data["facts"]["form"]["answers"] if sent else [],
        }
        return render(self.request, "form/form.html", context, status=status)


def _find(token: str) -> tuple[Sending, Chat, FormTemplate]:
    """What the link names. Raises BadSignature, LinkOver."""
    try:
        sending = read_link(token)
    except signing.SignatureExpired:
        raise LinkOver from None
    chat = Chat.objects.select_related("center").filter(pk=sending.chat_id, center__is_active=True).first()
    template = FormTemplate.objects.filter(pk=sending.form_id, center_id=chat.center_id).first() if chat else None
    if chat is None or template is None:
        raise LinkOver
    return sending, chat, template
