"""Profiles: customers as an API space knows them, with free-form JSON beside our own fields. Kept in ForeignCustomer.facts:

{"profile": {…}, "createdOn", "createdBy", "updatedOn", "updatedBy", "revision", "deletedOn"?}
"""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from chats.errors import Invalid
from chats.models import Customer, ForeignCustomer
from contactcenter.models import Registration

from .customers import update_customer

LONGEST_ID = 200
LARGEST = 16 * 1024  # bytes of JSON
DEEPEST = 20
FORBIDDEN = {"/", "\\", "\0"}  # a profile's id stands in paths; the backslash is agents'


def ensure_profile(
    registration: Registration, profile_id: str, *, actor: str, now: datetime, adopts: bool = True
) -> ForeignCustomer:
    """The space's profile of this id, made with a customer when it is new; of two at the same moment the second finds the first's.

    `adopts`: our own id of a customer who came otherwise (names.profile_id shows it) names that customer. Raises Invalid for what can be no id.
    """
    known = ForeignCustomer.objects.filter(registration=registration, external_id=profile_id).select_related("customer")
    if found := known.first():
        return found
    check_id(profile_id)
    customer = _own_customer(registration, profile_id) if adopts else None
    try:
        with transaction.atomic():
            return _make(registration, profile_id, customer, actor, now)
    except IntegrityError:
        return known.get()  # just made by another


def check_id(profile_id: str) -> None:
    """Raises Invalid: an id is 1 to 200 printable characters and no agent's."""
    is_plain = isinstance(profile_id, str) and profile_id.isprintable() and not FORBIDDEN.intersection(profile_id)
    if not is_plain or not profile_id.strip() or not 0 < len(profile_id) <= LONGEST_ID:
        raise Invalid(fields={"profileId": "must be 1 to 200 printable characters without slashes."})


@transaction.atomic
def change_profile(
    foreign: ForeignCustomer, profile: dict[str, Any], *, merges: bool, actor: str, now: datetime
) -> ForeignCustomer:
    """Replace the profile, or merge the members (`merges`; null removes one). Its name, email and phoneNumber are the customer's, too.

    The caller has checked it (check_profile). Raises Invalid when it has become too large.
    """
    # The customer before its own rows, as everywhere.
    customer = update_customer(foreign.customer, own_fields(profile), now=now)
    foreign = ForeignCustomer.objects.select_for_update(no_key=True, of=("self",)).get(pk=foreign.pk)
    kept = foreign.facts.get("profile") or {}
    said = {**kept, **profile} if merges else dict(profile)
    said = {key: value for key, value in said.items() if value is not None}
    check_profile(said)
    foreign.facts = {
        "createdOn": stamp(customer.created_at),
        "createdBy": actor,
        **{key: value for key, value in foreign.facts.items() if key != "deletedOn"},
        "profile": said,
        "updatedOn": stamp(now),
        "updatedBy": actor,
        "revision": revision_of(foreign) + 1,
    }
    foreign.save(update_fields=["facts"])
    foreign.customer = customer
    return foreign


@transaction.atomic
def forget_profile(foreign: ForeignCustomer, *, actor: str, now: datetime) -> ForeignCustomer:
    """Its own words go, and its sessions end; the customer and what was said stay. It comes to life again when it is named again."""
    Customer.objects.select_for_update(no_key=True).get(pk=foreign.customer_id)
    foreign = ForeignCustomer.objects.select_for_update(no_key=True, of=("self",)).get(pk=foreign.pk)
    stood = {"updatedOn": stamp(now), "updatedBy": actor, "deletedOn": stamp(now), "revision": revision_of(foreign) + 1}
    foreign.facts = {**foreign.facts, "profile": {}, **stood}
    foreign.save(update_fields=["facts"])
    foreign.app_sessions.filter(ended_at=None).update(ended_at=now, push={})
    return foreign


def check_profile(profile: dict[str, Any]) -> None:
    """Raises Invalid for what cannot be stored: too large, too deep, characters that JSON in the database does not take."""
    try:
        text = json.dumps(profile, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except (ValueError, RecursionError):  # a lone surrogate, NaN
        raise Invalid(fields={"body": "holds characters or numbers that cannot be kept."}) from None
    if "\\u0000" in text or depth_of(profile) > DEEPEST:
        raise Invalid(fields={"body": "holds NUL characters, or lies too deep."})
    if size > LARGEST:
        raise Invalid(fields={"body": f"must not be larger than {LARGEST} bytes."})


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth_of, inner), default=0)


def own_fields(profile: dict[str, Any]) -> dict[str, str]:
    """What of it is the customer's own; what is no email, or too long for us, stays in the profile alone."""
    text = {key: " ".join(value.split()) for key, value in profile.items() if isinstance(value, str)}
    first_last = " ".join(part for part in (text.get("firstName", ""), text.get("lastName", "")) if part)
    found = {
        "name": text.get("name") or first_last,
        "email": text.get("email", "") if _is_email(text.get("email", "")) else "",
        "phone": text.get("phoneNumber", "") if len(text.get("phoneNumber", "")) <= 32 else "",
    }
    found["name"] = found["name"][:100]
    return {key: value for key, value in found.items() if value}


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def revision_of(foreign: ForeignCustomer) -> int:
    revision = foreign.facts.get("revision", 1)
    return revision if isinstance(revision, int) else 1


def stamp(at: datetime) -> str:
    """2026-11-21T18:00:00.123Z"""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _own_customer(registration: Registration, profile_id: str) -> Customer | None:
    """A customer of the center whom the space sees by our own id: one with a chat in a team that its application may use."""
    try:
        row_id = UUID(profile_id) if len(profile_id) == 36 else None
    except ValueError:
        row_id = None
    if row_id is None or str(row_id) != profile_id:
        return None
    own = registration.application.application_teams.values("team_id")
    found = Customer.objects.filter(center_id=registration.center_id, pk=row_id)
    return (found.filter(chats__team__in=own) if own.exists() else found).first()


def _make(
    registration: Registration, profile_id: str, customer: Customer | None, actor: str, now: datetime
) -> ForeignCustomer:
    first = {"profile": {}, "createdOn": stamp(now), "createdBy": actor, "updatedOn": stamp(now), "updatedBy": actor}
    facts = {**first, "revision": 1}
    if customer is None:
        customer = Customer.objects.create(center_id=registration.center_id, last_seen_at=now)
    elif known := ForeignCustomer.objects.filter(registration=registration, customer=customer).first():
        if known.external_id is None:
            known.external_id, known.facts = profile_id, facts | known.facts
            known.save(update_fields=["external_id", "facts"])
        return known
    return ForeignCustomer.objects.create(
        center_id=registration.center_id,
        registration=registration,
        customer=customer,
        external_id=profile_id,
        facts=facts,
    )
