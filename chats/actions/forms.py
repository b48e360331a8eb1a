"""Forms for customers: kept by programs and administrators, sent as a link, answered on our page."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unicodedata import category
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid, NotFound
from chats.events import ChatEvent, ChatUpdated, NotePosted, record
from chats.form_links import Sending
from chats.models import Chat, Customer, Event, FormTemplate, Participant
from contactcenter import audit
from contactcenter.models import Application

from .customers import update_customer
from .data import MOST_DATA
from .locking import lock_chat
from .post import Posted
from .steer import say_as_system
from .text import check_text
from .welcome import form_words

KINDS = ("text", "email", "phone", "textarea", "select")
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")  # a question's
FORM_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
MOST_FIELDS, MOST_OPTIONS = 20, 50
UNFIT = {"Cc", "Cs", "Zl", "Zp"}  # control characters, lone surrogates, line ends
LONGEST_LABEL, LONGEST_OPTION = 200, 100
LONGEST_WORDS = 2_000  # characters before the link
MOST_ANSWERS = 8_000  # characters of all answers together: they become one note

# The customer's own; other answers are the chat's custom data.
OWN = {"name": "text", "email": "email", "phone": "phone"}  # the kind of question that asks for it


def check_fields(fields: Any) -> list[dict[str, Any]]:
    """The questions in one spelling: [{key, label, kind, options, required}]. Raises Invalid."""
    if not isinstance(fields, list) or not 0 < len(fields) <= MOST_FIELDS:
        raise Invalid(fields={"fields": _("A form has 1 to %(most)d questions.") % {"most": MOST_FIELDS}})
    found = [_field(field, number) for number, field in enumerate(fields, start=1)]
    if len({field["key"] for field in found}) < len(found):
        raise Invalid(fields={"fields": _("Each key may be used once.")})
    return found


def _field(field: Any, number: int) -> dict[str, Any]:
    if not isinstance(field, dict):
        raise _wrong(number, _("a question has a key, a label and a kind."))
    said = {"kind": "text", "options": [], "required": False} | {k: v for k, v in field.items() if v is not None}
    key, label, kind, options, required = (said.get(k) for k in ("key", "label", "kind", "options", "required"))
    kind = OWN.get(key, kind) if isinstance(key, str) else kind
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise _wrong(number, _("a key has letters, digits and . _ - and begins with a letter, 40 at most."))
    if isinstance(label, str):
        label = label.strip().removesuffix("*").strip()  # the page itself says what may be left out
    if not _is_line(label, LONGEST_LABEL):
        raise _wrong(number, _("a label is one line of 200 characters at most, without |."))
    if not isinstance(kind, str) or kind not in KINDS:
        raise _wrong(number, _("its kind is one of %(kinds)s.") % {"kinds": ", ".join(KINDS)})
    if not isinstance(options, list) or not all(_is_line(one, LONGEST_OPTION) for one in options):
        raise _wrong(number, _("its options are lines of 100 characters at most, without |."))
    if len(options) > MOST_OPTIONS or (kind == "select") != bool(options):
        raise _wrong(number, _("a select has 1 to 50 options, other kinds have none."))
    if not isinstance(required, bool):
        raise _wrong(number, _("required is true or false."))
    return {"key": key, "label": label, "kind": kind, "options": options, "required": required}


def _wrong(number: int, why: Any) -> Invalid:
    return Invalid(fields={"fields": _("Question %(number)d: %(why)s") % {"number": number, "why": why}})


def _is_line(value: Any, longest: int) -> bool:
    """A line of text that databases can keep and pages can show; with | the admin's page draws lines."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest or "|" in value:
        return False
    return UNFIT.isdisjoint(map(category, value))


Check = Callable[
    [FormTemplate | None], None
]  # the caller's, on the row as it is now, locked; raises what refuses the change


@transaction.atomic
def put_form(
    by: Application, key: str, words: dict[str, Any], *, check: Check, now: datetime
) -> tuple[FormTemplate, bool]:
    """Make or replace the center's form of this key. words: name, text, fields. Returns it and whether it is new. Raises Invalid."""
    fields = check_fields(words["fields"])
    form = _locked(by, key)
    check(form)
    is_new = form is None
    form = form or FormTemplate(center_id=by.center_id, key=key, created_at=now)
    form.name, form.text, form.fields, form.updated_at = words["name"], words["text"], fields, now
    form.save()  # of two that make it at the same moment the constraint refuses the second
    _note(by, "form added" if is_new else "form changed", form)
    return form, is_new


@transaction.atomic
def drop_form(by: Application, key: str, *, check: Check) -> None:
    """Links to it that are on their way lead nowhere from now on. Raises NotFound."""
    form = _locked(by, key)
    if form is None:
        raise NotFound
    check(form)
    _note(by, "form removed", form)
    form.delete()


def _locked(by: Application, key: str) -> FormTemplate | None:
    rows = FormTemplate.objects.filter(center_id=by.center_id, key=key).select_related("center")
    return rows.select_for_update(no_key=True, of=("self",)).first()


def send_form(chats: Any, chat_id: UUID, form: FormTemplate, *, now: datetime) -> Posted:
    """Say the form's words and a link to it. Raises NotFound, Closed."""
    return say_as_system(chats, chat_id, form_words(chat_id, form), client_id=str(uuid4()), now=now)


@transaction.atomic
def answer_form(sending: Sending, form: FormTemplate, answers: dict[str, str], *, now: datetime) -> Event:
    """What the customer has filled in, checked by the page: by the fields' keys. It becomes a note for staff, the customer's own data and the chat's.

    Also in a chat that has ended. The first answers of a link stand; a repeat returns them. Raises NotFound.
    """
    # The customer before the chat, as everywhere. Of two at the same moment the second waits here.
    whose = Chat.objects.filter(pk=sending.chat_id).values("customer_id")
    customer = Customer.objects.select_for_update(no_key=True).filter(pk__in=whose).first()
    if customer is None:
        raise NotFound
    first = answers_of(sending)
    if first is not None:
        return first
    update_customer(customer, _own_words(customer, form, answers), now=now)
    chat = lock_chat(Chat.objects, sending.chat_id)
    me = chat.participants.get(kind=Participant.Kind.CUSTOMER)
    happened: list[ChatEvent] = []
    changed = _changed_data(chat, form, answers)
    if changed:
        chat.data |= changed
        happened.append(ChatUpdated(changed=changed))
    told = [{"key": field["key"], "label": field["label"], "value": answers[field["key"]]} for field in form.fields]
    lines = [f"{one['label']}: {one['value'] or '–'}" for one in told]
    note = NotePosted(
        text="\n".join([form.name, "", *lines]),
        client_id=sending.client_id,
        facts={"form": {"id": form.key, "name": form.name, "answers": told}},
    )
    check_text(note.text)
    return record(chat, *happened, note, sender=me, now=now)[-1].event


def answers_of(sending: Sending) -> Event | None:
    """The note with what was sent by this link: data.facts.form {id, name, answers: [{key, label, value}]}."""
    notes = Event.objects.filter(chat_id=sending.chat_id, client_id=sending.client_id, type=NotePosted.type)
    return notes.filter(sender_kind=Participant.Kind.CUSTOMER).first()


def _own_words(customer: Customer, form: FormTemplate, answers: dict[str, str]) -> dict[str, str]:
    """What replaces the customer's own fields. Those of somebody whom the center's server has named are only filled where empty: a link proves less."""
    keys = [field["key"] for field in form.fields if field["key"] in OWN]
    given = {key: answers[key] for key in keys if answers[key]}
    return {key: value for key, value in given.items() if not (customer.is_identified and getattr(customer, key))}


def _changed_data(chat: Chat, form: FormTemplate, answers: dict[str, str]) -> dict[str, str]:
    """Answers for the chat's custom data; none of them where there is no room left (the note has them)."""
    keys = [field["key"] for field in form.fields if field["key"] not in OWN]
    changed = {key: answers[key] for key in keys if answers[key] and chat.data.get(key) != answers[key]}
    return changed if len(json.dumps(chat.data | changed).encode()) <= MOST_DATA else {}


def _note(by: Application, action: str, form: FormTemplate) -> None:
    changes = {"key": form.key, "name": form.name, "questions": str(len(form.fields))}
    audit.note(action, actor=f"application {by.name}", center=form.center, subject=form, changes=changes)
