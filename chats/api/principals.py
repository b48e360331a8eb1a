"""Who calls. Each way of proving it gives one kind of caller, which views and chats.api.scope tell apart by class."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from agents.models import Agent
from chats.actions.keys import is_stale, note_used
from chats.actions.sessions import find_session, may_slide, slide_session
from chats.doors.bookkeeping import unless_away
from chats.doors.origins import check_origin
from chats.doors.passwords import person_of, read_basic
from chats.errors import Forbidden, Invalid, Unauthorized
from chats.models import Customer, CustomerSession
from contactcenter.models import Application, Channel, ContactCenter, hash_secret
from contactcenter.prepared import Prepared

MOST_CREDENTIALS = 500  # characters; ours have at most 64


@dataclass(frozen=True)
class Caller:
    """The base of all. DRF keeps it as request.user."""

    kind: ClassVar[str] = ""
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True

    @property
    def center(self) -> ContactCenter:
        raise NotImplementedError


@dataclass(frozen=True)
class CustomerCaller(Caller):
    """A customer's client, by its session token."""

    kind = "customer"
    session: CustomerSession

    @property
    def customer(self) -> Customer:
        return self.session.customer

    @property
    def center(self) -> ContactCenter:
        return self.session.center


@dataclass(frozen=True)
class AgentCaller(Caller):
    """Somebody on a seat. `session_key` is empty for programs (application password)."""

    kind = "agent"
    agent: Agent
    session_key: str = ""

    @property
    def center(self) -> ContactCenter:
        return self.agent.center


@dataclass(frozen=True)
class ApplicationCaller(Caller):
    """A program of the center, by its secret key. `team_ids` is None when it may use all teams."""

    kind = "application"
    application: Application
    team_ids: frozenset[UUID] | None

    @property
    def center(self) -> ContactCenter:
        return self.application.center


@dataclass(frozen=True)
class PublicCaller(Caller):
    """A web page, by a public key: configuration and availability only."""

    kind = "page"
    key: Channel | Application

    @property
    def center(self) -> ContactCenter:
        return self.key.center


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer` with an application's secret key (sk_…) or a customer's session token."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        secret = _credentials(request, "bearer")
        if secret is None:
            return None
        now = timezone.now()
        caller = _application(secret, now) if secret.startswith("sk_") else _customer(request, secret, now)
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class ApplicationPasswordAuthentication(BaseAuthentication):
    """HTTP Basic with the user's name and an application password; never with the person's own password."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        encoded = _credentials(request, "basic")
        if encoded is None:
            return None
        person = person_of(request, *read_basic(encoded), timezone.now())
        return AgentCaller(_seat(request, person.pk)), None


class PublicKeyAuthentication(BaseAuthentication):
    """`X-Public-Key: pk_…`, from a page of an allowed origin."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        key = request.headers.get("X-Public-Key")
        if not key:
            return None
        found = find_public_key(key)
        if found is None:
            raise Unauthorized(_("This key is not known."))
        check_origin(request, found.allowed_origins)
        return PublicCaller(found), None


class SeatSessionAuthentication(SessionAuthentication):
    """The session cookie of a signed-in person; what changes something needs the CSRF token, too."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        # Where Django's own middleware has put it; there is none without a session.
        user = getattr(request._request, "user", None)  # noqa: SLF001
        if user is None or isinstance(user, AnonymousUser | Caller) or not user.is_active:
            return None
        self.enforce_csrf(request)
        session_key = request._request.session.session_key or ""  # noqa: SLF001
        return AgentCaller(_seat(request, user.pk), session_key), None


def find_public_key(key: str) -> Channel | Application | None:
    """The active channel or application that this public key names."""
    if "\0" in key or not key.isascii():
        return None
    key = key[:65]
    channels = Channel.objects.filter(is_active=True, center__is_active=True, key=key)
    programs = Application.objects.filter(is_active=True, center__is_active=True, public_key=key)
    return channels.select_related("center").first() or programs.select_related("center").first()


_APPLICATION = Prepared(
    lambda secret_hash: Application.objects.filter(
        is_active=True, center__is_active=True, secret_hash=secret_hash
    ).select_related("center")
)
_SEATS = Prepared(lambda user: Agent.objects.active().filter(user_id=user).select_related("center", "user"))


def _credentials(request: Request, scheme: str) -> str | None:
    """What stands behind this scheme in the Authorization header; None for another scheme or none."""
    given, _space, value = request.headers.get("Authorization", "").partition(" ")
    if given.lower() != scheme:
        return None
    value = value.strip()
    if not value or not value.isascii() or len(value) > MOST_CREDENTIALS:
        raise Unauthorized
    return value


def _application(secret: str, now: datetime) -> ApplicationCaller:
    application = _APPLICATION.first(hash_secret(secret))
    if application is None:
        raise Unauthorized(_("This key is not known."))
    _note(application)
    team_ids = frozenset(application.application_teams.values_list("team_id", flat=True))
    return ApplicationCaller(application, team_ids or None)


def _customer(request: Request, token: str, now: datetime) -> CustomerCaller:
    session = find_session(token, now)
    if session is None:
        raise Unauthorized(_("This session is over. Open a new one."))
    check_origin(request, session.channel.allowed_origins)
    if may_slide(session, now):
        unless_away(lambda: slide_session(session, now))
    return CustomerCaller(session)


def _seat(request: Request, user_id: UUID) -> Agent:
    """The person's seat in the center that the request names: by header, by host, or because it is the only one."""
    seats = _SEATS.rows(user_id)
    slug = request.headers.get("X-Contact-Center", "")
    if slug:
        seats = [seat for seat in seats if seat.center.slug == slug]
    elif len(seats) > 1:
        host = request._request.get_host().partition(":")[0]  # noqa: SLF001
        of_host = [seat for seat in seats if seat.center.host == host]
        if not of_host:
            raise Invalid(_("Say in X-Contact-Center which contact center is meant."))
        seats = of_host
    if not seats:
        raise Forbidden(_("You have no seat in this contact center."))
    return seats[0]


def _note(key: Application) -> None:
    now = timezone.now()
    if is_stale(key, now):
        unless_away(lambda: note_used(key, now))
