"""Sessions of customers' apps: begun by a proof, ended by the app or in time; how their devices are reached."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from chats.errors import Blocked, Conflict
from chats.models import AppSession, Customer, ForeignCustomer
from contactcenter.models import Registration

from .profiles import ensure_profile, lock_profile, revive_profile

LIFETIME = timedelta(days=30)
MOST_LIVE = 50  # of one profile: the oldest ends


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
    _take_device(session)
    Customer.objects.filter(pk=profile.customer_id).update(last_seen_at=now)
    return session


def end_session(session: AppSession, *, now: datetime) -> None:
    """Its token opens nothing from now on, and its device is told nothing."""
    AppSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now, push={})


@transaction.atomic
def set_push(session: AppSession, push: dict[str, Any]) -> None:
    """How the device is reached; {} for not at all."""
    AppSession.objects.filter(pk=session.pk, ended_at=None).update(push=push, push_error="")
    session.push = push
    _take_device(session)


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


def _take_device(session: AppSession) -> None:
    """Whoever signs in on a device takes it over: it must not be told what is said to the one before."""
    if session.push and session.device_id:
        others = AppSession.objects.filter(registration=session.registration, ended_at=None).exclude(pk=session.pk)
        others.filter(device_id=session.device_id).update(push={})
