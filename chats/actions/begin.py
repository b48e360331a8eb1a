"""A chat as customers' clients begin it: the form's answers, a team by its key or id, the page they are on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DataError, IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from chats.errors import Invalid, Refused
from chats.models import Customer, Webhook, hot
from contactcenter.models import Channel, ContactCenter, FormField, Team
from contactcenter.prepared import Prepared, PreparedValues, among, found_together
from contactcenter.wire import together

from .customers import update_customer
from .locking import lock_customer
from .start import (
    KNOWN,
    OWN_TEAM,
    TEAMS,
    Plan,
    Start,
    Started,
    choose_team,
    find_known,
    join_known,
    plan_chat,
    start_new,
    write_plans,
)

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
    answers = check_form(_FORM_FIELDS.rows(channel.pk), customer, wish.form)
    if own := _new_facts(customer, answers):
        customer = update_customer(customer, own, now=now)
    start = _start(wish, answers, _team(channel, wish.team))
    with together():
        return start_new(channel, customer, start, now)


@dataclass(frozen=True, slots=True, eq=False)
class Begin:
    """One of many chats that begin at the same moment, each of them itself alone. `customer_id`: whom the door has proven."""

    channel: Channel
    customer_id: UUID
    wish: Wish


def begin_chats(begins: Sequence[Begin], *, now: datetime) -> list[Started | None]:
    """Begin all of these that are new and simple, in one transaction that waits for nobody's row.

    None for any other (a refusal, a customer who has a chat or gives a name, a row that another has locked): nothing is written then, and `begin_chat` says
    what becomes of it.
    """
    try:
        with transaction.atomic(), together():
            return _Beginnings(begins, now).write()
    except (DataError, IntegrityError):  # one of them spoils it for all
        return [None for _ in begins]


class _Beginnings:
    """What one transaction needs to know of its customers, and of their channels once for all: read in one round trip."""

    def __init__(self, begins: Sequence[Begin], now: datetime) -> None:
        self.begins, self.now = begins, now

    def write(self) -> list[Started | None]:
        self._load()
        plans = [self._plan(begin) for begin in self.begins]
        kept = [plan for plan in plans if plan]
        for plan in kept:
            plan.chat.may_have_webhooks = plan.chat.center_id in self.hooked
        started = iter(write_plans(kept, self.now) if kept else [])
        return [next(started) if plan else None for plan in plans]

    def _load(self) -> None:
        ids = [begin.customer_id for begin in self.begins]
        channels = list({begin.channel.pk: begin.channel for begin in self.begins}.values())
        centers = list({channel.center_id for channel in channels})
        customers, known, fields, own, teams, hooked = found_together(
            (hot.FREE_CUSTOMERS, [ids]),
            (KNOWN, [(begin.customer_id, begin.wish.client_id) for begin in self.begins]),
            (_FORM_FIELDS, [[channel.pk] for channel in channels]),
            (OWN_TEAM, [[channel.team_id or channel.pk] for channel in channels]),
            (TEAMS, [[channel.center_id] for channel in channels]),
            (_HOOKED, [[centers]]),
        )
        self.customers = {customer.pk: customer for customer in hot.FREE_CUSTOMERS.made(customers[0])}
        for begin, found in zip(self.begins, known, strict=True):
            if found:
                self.customers.pop(begin.customer_id, None)
        self.fields = {channel.pk: _FORM_FIELDS.made(rows) for channel, rows in zip(channels, fields, strict=True)}
        self.teams = {
            channel.pk: choose_team(OWN_TEAM.made(mine), TEAMS.made(all_of_them))
            for channel, mine, all_of_them in zip(channels, own, teams, strict=True)
        }
        self.hooked = {center for (center,) in _HOOKED.made(hooked[0])}

    def _plan(self, begin: Begin) -> Plan | None:
        # Only the first of two that one customer begins at the same moment is new.
        customer = self.customers.pop(begin.customer_id, None)
        if customer is None:
            return None
        channel, wish = begin.channel, begin.wish
        try:
            answers = check_form(self.fields[channel.pk], customer, wish.form)
            if _new_facts(customer, answers):
                return None
            team = _team(channel, wish.team) or self.teams[channel.pk]
            return plan_chat(channel, customer, _start(wish, answers, team), self.now)
        except Refused:
            return None


_HOOKED = PreparedValues(
    lambda centers: ContactCenter.objects.filter(
        Exists(Webhook.objects.filter(center=OuterRef("pk"))), pk__in=among(centers)
    ).values_list("pk")
)
_FORM_FIELDS = Prepared(lambda channel: FormField.objects.filter(channel=channel))


def _new_facts(customer: Customer, answers: dict[str, str]) -> dict[str, str]:
    """Answers that change the customer. What the center's own server vouched for is not overwritten by what somebody typed."""
    return {
        name: value
        for name, value in answers.items()
        if name in OWN_FIELDS and value and not (customer.is_identified and getattr(customer, name))
    }


def _start(wish: Wish, answers: dict[str, str], team: Team | None) -> Start:
    other = {name: value for name, value in answers.items() if name not in OWN_FIELDS and value}
    return Start(
        client_id=wish.client_id,
        team=team,
        subject=wish.subject,
        text=wish.text,
        language=wish.language,
        data={**wish.data, **other},
        page_url=wish.page_url,
        page_title=wish.page_title,
    )


def check_form(fields: Iterable[FormField], customer: Customer, form: dict[str, str]) -> dict[str, str]:
    """The answers without blanks around them. Raises Invalid with a sentence for each field that is wrong or missing."""
    answers = {key: value.strip() for key, value in form.items()}
    asked = {row.key: row for row in fields}
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
