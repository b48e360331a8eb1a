"""Sessions of customers' apps: begun by a proof, ended by the app or in time; how their devices are reached."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from chats.errors import Blocked, Conflict
from chats.models import AppSession, Customer, ForeignCustomer
from contactcenter.models import Registration

from .profiles import changed, ensure_profile, lock_profile, revive_profile

LIFETIME = timedelta(days=30)
MOST_LIVE = 50  # of one profile: the oldest ends
TOKENS = ("fcm__registrationId", "apns__token")  # in `push`: what a service calls the device
DEVICES = 0x44455643  # the first half of our advisory locks' keys: other rooms' keys have another form


@transaction.atomic
def open_session(
    registration: Registration,
    session_id: UUID,
    profile_id: str,
    *,
    device_id: str,
    facts: dict[str, Any],
    push: dict[str, Any],
    now: datetime,
) -> AppSession:
    """A session of the profile, which is made when it is new. `session_id`: of the authentication, which is good for one.

    Raises Conflict when it was used, Blocked, Invalid for what can be no profile's id.
    """
    actor = f"session:{profile_id}"
    # Two sign-ins of one profile at once: the second sees the first's session.
    profile = lock_profile(ensure_profile(registration, profile_id, actor=actor, now=now, adopts=False))
    if profile.customer.is_blocked_at(now):
        raise Blocked
    revive_profile(profile, actor=actor, now=now)
    if push:
        _lock_devices(registration)
    _end_others(profile, device_id, now)
    session = AppSession(
        pk=session_id, center_id=registration.center_id, registration=registration, profile=profile, push=push
    )
    session.device_id, session.facts = device_id, facts
    session.created_at, session.expires_at = now, now + LIFETIME
    try:
        with transaction.atomic():
            session.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This authentication was used already. Begin a new one.") from None
    if push:
        _tell([profile, *_take_device(session)], now)
    Customer.objects.filter(pk=profile.customer_id).update(last_seen_at=now)
    return session


@transaction.atomic
def end_session(session: AppSession, *, now: datetime) -> None:
    """Its token opens nothing from now on, and its device is told nothing."""
    is_ended = AppSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now, push={})
    if is_ended and session.push:
        _tell([session.profile], now)


@transaction.atomic
def set_push(session: AppSession, push: dict[str, Any], *, now: datetime) -> None:
    """How the device is reached; {} for not at all."""
    _lock_devices(session.registration)
    is_live = AppSession.objects.filter(pk=session.pk, ended_at=None).update(push=push, push_error="")
    if is_live:
        own = [session.profile] if push != session.push else []
        session.push = push
        _tell([*own, *_take_device(session)], now)


@transaction.atomic
def mark_seen(session_id: UUID, at: datetime | None) -> None:
    """The app's socket is open (None: has closed); presence and push look at facts["seen_at"]."""
    session = AppSession.objects.select_for_update(no_key=True, of=("self",)).filter(pk=session_id).first()
    if session is not None:
        session.facts = {**session.facts, "seen_at": at.isoformat() if at else None}
        session.save(update_fields=["facts"])


def _end_others(profile: ForeignCustomer, device_id: str, now: datetime) -> None:
    """One live session for each device, and not without end."""
    live = AppSession.objects.live(now).filter(profile=profile)
    surplus = list(live.order_by("-created_at").values_list("pk", flat=True)[MOST_LIVE - 1 :])
    live.filter(pk__in=surplus).update(ended_at=now, push={})
    if device_id:
        live.filter(device_id=device_id).update(ended_at=now, push={})


def _lock_devices(registration: Registration) -> None:
    """Two who claim one device at the same moment: the second sees the first, until the end of the transaction. Take it before any session's row."""
    if connection.vendor == "postgresql":
        key = int.from_bytes(registration.pk.bytes[12:], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [DEVICES, key])


def _take_device(session: AppSession) -> list[ForeignCustomer]:
    """Whoever signs in on a device takes it over, be it known by its id or by its token: it must not be told what is said to the one before. The profiles that have lost it."""
    same = [Q(device_id=session.device_id)] if session.device_id else []
    for token in TOKENS:
        service, _, name = token.partition("__")
        if value := session.push.get(service, {}).get(name):
            same.append(Q(**{f"push__{token}": value}))
    if not session.push or not same:
        return []
    others = AppSession.objects.filter(registration=session.registration, ended_at=None).exclude(push={})
    rows = others.exclude(pk=session.pk).filter(reduce(or_, same))
    lost = list(rows.select_related("profile__registration", "profile__customer"))
    AppSession.objects.filter(pk__in=[one.pk for one in lost]).update(push={})
    return [one.profile for one in lost]


def _tell(profiles: Iterable[ForeignCustomer], now: datetime) -> None:
    """Each once."""
    for profile in {one.pk: one for one in profiles}.values():
        changed.send(ForeignCustomer, foreign=profile, what="devicesUpdated", now=now)
