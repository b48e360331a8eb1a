"""Profiles: customers as an API space knows them, with free-form JSON beside our own fields. Kept in ForeignCustomer.facts:

{"profile": {…}, "createdOn", "createdBy", "updatedOn", "updatedBy", "revision", "deletedOn"?}
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.dispatch import Signal

from chats.errors import Invalid
from chats.models import Customer, ForeignCustomer
from contactcenter.models import Registration

from .customers import update_customer

# foreign, what (create, update, delete, undelete, devicesUpdated), now; within the transaction that changes it.
changed = Signal()

Check = Callable[[ForeignCustomer], None]

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
        return found if "deletedOn" not in found.facts else _revived(found, actor, now)
    check_id(profile_id)
    customer = _own_customer(registration, profile_id) if adopts else None
    try:
        with transaction.atomic():
            return _make(registration, profile_id, customer, actor, now)
    except IntegrityError:
        return known.get()  # just made by another


def check_id(profile_id: str, param: str = "profileId") -> None:
    """Raises Invalid: an id is 1 to 200 printable characters and no agent's."""
    is_plain = isinstance(profile_id, str) and profile_id.isprintable() and not FORBIDDEN.intersection(profile_id)
    if not is_plain or not profile_id.strip() or not 0 < len(profile_id) <= LONGEST_ID:
        raise Invalid(fields={param: "must be 1 to 200 printable characters without slashes."})


@transaction.atomic
def change_profile(
    foreign: ForeignCustomer,
    profile: dict[str, Any],
    *,
    merges: bool,
    actor: str,
    now: datetime,
    check: Check | None = None,
) -> ForeignCustomer:
    """Replace the profile, or merge the members (`merges`; null removes one). Its name, email and phoneNumber are the customer's, too.

    `check` sees the row as it is now, locked, and raises when the caller has read another. Raises Invalid for what cannot be kept.
    """
    # The customer before its own rows, as everywhere.
    foreign = lock_profile(foreign)
    if check is not None:
        check(foreign)
    kept = foreign.facts.get("profile") or {}
    said = {**kept, **profile} if merges else dict(profile)
    said = {key: value for key, value in said.items() if value is not None}
    check_profile(said)
    foreign.customer = update_customer(foreign.customer, _fields_changed(foreign.customer, kept, said), now=now)
    was_deleted = "deletedOn" in foreign.facts
    _write(foreign, {"profile": said}, actor, now)
    changed.send(ForeignCustomer, foreign=foreign, what="undelete" if was_deleted else "update", now=now)
    return foreign


@transaction.atomic
def forget_profile(
    foreign: ForeignCustomer, *, actor: str, now: datetime, check: Check | None = None
) -> ForeignCustomer:
    """Its own words go, and its sessions end; the customer and what was said stay. It comes to life again when it is named again."""
    foreign = lock_profile(foreign)
    if check is not None:
        check(foreign)
    _write(foreign, {"profile": {}, "deletedOn": stamp(now)}, actor, now)
    foreign.app_sessions.filter(ended_at=None).update(ended_at=now, push={})
    changed.send(ForeignCustomer, foreign=foreign, what="delete", now=now)
    return foreign


def revive_profile(foreign: ForeignCustomer, *, actor: str, now: datetime) -> None:
    """Somebody signs in whose profile was deleted; the row is locked."""
    if "deletedOn" in foreign.facts:
        _write(foreign, {}, actor, now)
        changed.send(ForeignCustomer, foreign=foreign, what="undelete", now=now)


@transaction.atomic
def _revived(foreign: ForeignCustomer, actor: str, now: datetime) -> ForeignCustomer:
    found = lock_profile(foreign)
    revive_profile(found, actor=actor, now=now)
    return found


def lock_profile(foreign: ForeignCustomer) -> ForeignCustomer:
    """The row as it is now, with its customer; both are locked."""
    customer = Customer.objects.select_for_update(no_key=True).get(pk=foreign.customer_id)
    rows = ForeignCustomer.objects.select_for_update(no_key=True, of=("self",)).select_related("registration")
    found = rows.get(pk=foreign.pk)
    found.customer = customer
    return found


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


def _fields_changed(customer: Customer, kept: dict[str, Any], said: dict[str, Any]) -> dict[str, str]:
    """What the customer's own fields become; one that the profile named and names no more is emptied."""
    before, after = own_fields(kept), own_fields(said)
    gone = {name: "" for name, value in before.items() if name not in after and getattr(customer, name) == value}
    return gone | after


def _write(foreign: ForeignCustomer, facts: dict[str, Any], actor: str, now: datetime) -> None:
    """`facts`: over those that stand there. A row that another door's client made has none yet."""
    stood = {key: value for key, value in foreign.facts.items() if key != "deletedOn"}
    made = {"createdOn": stamp(foreign.customer.created_at), "createdBy": actor, "profile": {}}
    changes = {"updatedOn": stamp(now), "updatedBy": actor, "revision": revision_of(foreign) + 1}
    foreign.facts = made | stood | facts | changes
    foreign.save(update_fields=["facts"])


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
    first |= {"revision": 1}
    known = ForeignCustomer.objects.filter(registration=registration, customer=customer).first() if customer else None
    if known is not None and known.external_id is not None:
        return known
    made = known or ForeignCustomer(center_id=registration.center_id, registration=registration)
    made.registration, made.external_id, made.facts = registration, profile_id, first | made.facts
    made.customer = customer or Customer.objects.create(center_id=registration.center_id, last_seen_at=now)
    made.save()
    changed.send(ForeignCustomer, foreign=made, what="create", now=now)
    return made
