"""A chat as customers' clients begin it: the form's answers, a team by its key or id, the page they are on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from chats.errors import Invalid
from chats.models import Customer
from contactcenter.models import Channel, FormField, Team
from contactcenter.prepared import Prepared
from contactcenter.wire import together

from .customers import update_customer
from .locking import lock_customer
from .start import Start, Started, find_known, join_known, start_new

LONGEST_ANSWER = 2000
OWN_FIELDS = {"name": 100, "email": 254, "phone": 32}  # of the customer, with their lengths


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the client sent. `form` and `data` come from outside; the door has checked their types and sizes."""

    client_id: str
    team: str = ""
    subject: str = ""
    text: str = ""
    language: str = ""
    form: dict[str, str] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    page_url: str = ""
    page_title: str = ""


@transaction.atomic
def begin_chat(channel: Channel, customer: Customer, wish: Wish, *, now: datetime) -> Started:
    """Fill in the form's answers and start the chat, or return the one that is there. Raises Invalid and what start_chat raises."""
    customer = lock_customer(customer.pk)
    if known := find_known(customer, wish.client_id):
        # What was to be the first text is not lost: it goes into the chat that is there.
        return join_known(known, Start(client_id=wish.client_id, text=wish.text), now)
    answers = check_form(channel, customer, wish.form)
    # What the center's own server vouched for is not overwritten by what somebody typed.
    own = {
        name: value
        for name, value in answers.items()
        if name in OWN_FIELDS and value and not (customer.is_identified and getattr(customer, name))
    }
    if own:
        customer = update_customer(customer, own, now=now)
    other = {name: value for name, value in answers.items() if name not in OWN_FIELDS and value}
    start = Start(
        client_id=wish.client_id,
        team=_team(channel, wish.team),
        subject=wish.subject,
        text=wish.text,
        language=wish.language,
        data={**wish.data, **other},
        page_url=wish.page_url,
        page_title=wish.page_title,
    )
    with together():
        return start_new(channel, customer, start, now)


_FORM_FIELDS = Prepared(lambda channel: FormField.objects.filter(channel=channel))


def check_form(channel: Channel, customer: Customer, form: dict[str, str]) -> dict[str, str]:
    """The answers without blanks around them. Raises Invalid with a sentence for each field that is wrong or missing."""
    answers = {key: value.strip() for key, value in form.items()}
    asked = {row.key: row for row in _FORM_FIELDS.rows(channel.pk)}
    wrong = {key: why for key, value in answers.items() if value and (why := _fault(asked.get(key), key, value))}
    for key, row in asked.items():
        is_known = key in OWN_FIELDS and bool(getattr(customer, key))
        if row.is_required and not answers.get(key) and not is_known:
            wrong[key] = _("Fill this in.")
    if wrong:
        raise Invalid(fields=wrong)
    return answers


def _fault(asked: FormField | None, key: str, value: str) -> str:
    if len(value) > OWN_FIELDS.get(key, LONGEST_ANSWER):
        return _("This is too long.")
    if asked is not None and asked.kind == FormField.Kind.SELECT and value not in asked.options:
        return _("Choose one of the list.")
    if key == "email" or (asked is not None and asked.kind == FormField.Kind.EMAIL):
        try:
            validate_email(value)
        except ValidationError:
            return _("This is no email address.")
    return ""


def _team(channel: Channel, wanted: str) -> Team | None:
    """A team of the channel's center by key or id. Raises Invalid for any other."""
    if not wanted:
        return None
    teams = Team.objects.filter(center_id=channel.center_id, is_active=True)
    team = teams.filter(key=wanted).first()
    if team is None:
        try:
            team = teams.filter(pk=UUID(wanted)).first()
        except ValueError:
            team = None
    if team is None:
        raise Invalid(fields={"team": _("Choose a team.")})
    return team
