"""Forms that are sent to a customer: POST /chats/{chatId}/form, and below /chat/config/forms (our addition) the templates themselves.

A template's id is the center's: administrators see and change the same ones. One that another center has is not there.
"""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.forms import FORM_KEY, LONGEST_WORDS, drop_form, put_form, send_form
from chats.errors import Invalid, NotFound
from chats.models import Chat, FormTemplate
from contactcenter.models import Registration

from .door import Door
from .etags import check_match
from .names import iso
from .spaces import find_chat

MOST = 1_000
PRINTED = RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", "Control characters are not allowed.")


class Text(serializers.CharField):
    """Text and nothing that could be taken for one, which any database keeps."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            data.encode()
        except UnicodeEncodeError:
            self.fail("invalid")
        return super().to_internal_value(data)


class SendForm(serializers.Serializer[Any]):
    formTemplateId = Text(max_length=100)


class EditForm(serializers.Serializer[Any]):
    name = Text(max_length=100, validators=[PRINTED])
    text = Text(max_length=LONGEST_WORDS, required=False, allow_blank=True, allow_null=True, trim_whitespace=False)
    # What a question is: actions.forms.check_fields.
    fields = serializers.JSONField()  # type: ignore[assignment]


class ChatForm(Door):
    asks = {"POST": SendForm}

    def post(self, request: Request, chat_id: str) -> Response:
        """Send a form's words and its link to the chat's customer."""
        known = find_chat(self.caller, chat_id, self.now)
        key = self.read(SendForm)["formTemplateId"]
        form = find_form(known.registration, key)
        if form is None:
            raise Invalid(fields={"formTemplateId": "There is no such form."})
        send_form(Chat.objects.filter(pk=known.chat_id), known.chat_id, form, now=self.now)
        return Response(status=200)


class Forms(Door):
    def get(self, request: Request) -> Response:
        """The center's forms, by name."""
        forms = FormTemplate.objects.filter(center_id=self.caller.registration.center_id).order_by("name", "key")
        return Response([form_shape(form) for form in forms[:MOST]])


class OneForm(Door):
    asks = {"PUT": EditForm}

    def get(self, request: Request, form_id: str) -> Response:
        """One form."""
        return self._show(self._form(form_id))

    def put(self, request: Request, form_id: str) -> Response:
        """Make or replace a form."""
        if not FORM_KEY.fullmatch(form_id):
            raise Invalid(fields={"formTemplateId": "Letters, digits and . _ : - alone, 100 at most."})
        said = self.read(EditForm)
        words = {"name": said["name"], "text": said.get("text") or "", "fields": said["fields"]}
        program = self.caller.registration.application
        form, is_new = put_form(program, form_id, words, check=self._check, now=self.now)
        return self._show(form, status=201 if is_new else 200)

    def delete(self, request: Request, form_id: str) -> Response:
        """Remove a form: links to it lead nowhere from now on."""
        form = self._form(form_id)
        drop_form(self.caller.registration.application, form.key, check=self._check)
        return Response(status=204)

    def _check(self, form: FormTemplate | None) -> None:
        """Raises Stale."""
        check_match(self.request, form_shape(form) if form else None)

    def _form(self, form_id: str) -> FormTemplate:
        form = find_form(self.caller.registration, form_id)
        if form is None:
            raise NotFound("There is no such form.")
        return form

    def _show(self, form: FormTemplate, status: int = 200) -> Response:
        return self.entity(form_shape(form), changed_at=form.updated_at, status=status)


def find_form(registration: Registration, key: str) -> FormTemplate | None:
    """By its id. Of the application's center."""
    found: FormTemplate | None = (
        FormTemplate.objects.filter(center_id=registration.center_id, key=key).first() if "\0" not in key else None
    )
    return found


def form_shape(form: FormTemplate) -> dict[str, Any]:
    return {
        "id": form.key,
        "name": form.name,
        "text": form.text,
        "fields": form.fields,
        "_createdOn": iso(form.created_at),
        "_updatedOn": iso(form.updated_at),
    }


ROUTES: list[tuple[str, type[Door], str]] = [
    ("chats/{chat_id}/form", ChatForm, "chat-form"),
    ("chat/config/forms", Forms, "forms"),
    ("chat/config/forms/{form_id}", OneForm, "form"),
]
