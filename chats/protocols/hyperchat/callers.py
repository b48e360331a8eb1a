"""Who calls. The application id says for whom; a secret, a domain key or a user's token proves more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property, partial
from hmac import compare_digest
from typing import Any, ClassVar
from uuid import UUID

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from agents.models import Agent, Membership, Presence
from agents.presence import AGENT_LEASE, renew_leases, sign_in
from chats.actions.sessions import find_session, may_slide, slide_session
from chats.doors.bookkeeping import unless_away
from chats.doors.origins import is_allowed
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, WRONG_PASSWORDS, address_of, count
from chats.errors import Forbidden, Unauthorized
from chats.models import Customer, ForeignCustomer
from contactcenter.models import Registration, Team, hash_secret
from contactcenter.prepared import Prepared, found_together

LONGEST = 500  # characters of a credential; ours have at most 100
AGENT_SIGNER = "hyperchat.agent"
AGENT_TOKEN_SECONDS = 12 * 3600


class Proof(Enum):
    """What a call shows beside the application id."""

    APP = "app"  # nothing
    DOMAIN = "domain"  # the domain key, from a page of an allowed origin
    USER = "user"  # the token of one user
    SECRET = "secret"  # noqa: S105 - the name of a proof
    OPERATOR = "operator"  # an application password of an operator, instead of all this


# The routes of the domain key. A user's client keeps sending its token there, which proves more.
PUBLIC = frozenset({Proof.APP, Proof.DOMAIN, Proof.USER, Proof.SECRET})
SERVER = frozenset({Proof.SECRET})
USER_OR_SERVER = frozenset({Proof.USER, Proof.SECRET})


@dataclass(frozen=True)
class Caller:
    """DRF keeps it as request.user. `user` is set with a user's token: then only that user's own is reached."""

    registration: Registration
    proof: Proof
    user: Customer | Agent | None = None

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True

    @property
    def is_server(self) -> bool:
        return self.proof is Proof.SECRET

    @cached_property
    def rooms(self) -> dict[str, Team]:
        """Room id → team, with its center."""
        return {room.foreign_id: room.team for room in self.registration.rooms.select_related("team__center")}


@dataclass(frozen=True)
class Credentials:
    """As sent; empty where not."""

    app_id: str = ""
    secret: str = ""
    domain_key: str = ""
    token: str = ""


class HyperchatAuthentication(BaseAuthentication):
    """`x-hyper-appId` with `x-hyper-secret`, `x-hyper-key` (domain key) or `x-hyper-token`; for reads also `appId`, `secret`, `key`, `token` in the query."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return admit(request, _shown(request), timezone.now()), None

    def authenticate_header(self, request: Request) -> str:
        return "HyperChat"


def admit(request: Any, shown: Credentials, now: datetime) -> Caller:
    """Who calls from where the request comes from; wrong guesses and calls are counted by address. Raises Unauthorized, Forbidden, TooMany."""
    registration = find_registration(shown.app_id)
    if registration is None:
        # Who guesses ids is slowed down by address; who has one is not.
        count(WRONG_PASSWORDS, address_of(request))
        raise Unauthorized("Unknown application")
    caller = prove(registration, shown, now)
    if caller is None:
        count(WRONG_PASSWORDS, address_of(request))
        raise Unauthorized("Wrong credentials")
    if not caller.is_server:
        count(ANONYMOUS_BY_ADDRESS, address_of(request))
        if not is_allowed(request, registration.application.allowed_origins):
            raise Forbidden("This origin is not allowed")
    if isinstance(caller.user, Agent):
        # An agent's client that only asks now and then is there as long as it asks.
        unless_away(partial(_note_life, caller.user, now))
    return caller


def find_registration(app_id: str) -> Registration | None:
    """The live access of this application id, with its application, channel and center."""
    if not app_id or len(app_id) > LONGEST or "\0" in app_id:
        return None
    return _REGISTRATION.first(app_id)


def registrations_of(app_ids: Iterable[str]) -> dict[str, Registration]:
    """The same of several application ids that may be looked up: those that there are."""
    named = list(app_ids)
    (found,) = found_together((_REGISTRATION, [(app_id,) for app_id in named]))
    return {app_id: one for app_id, rows in zip(named, found, strict=True) for one in _REGISTRATION.made(rows)}


def live_registrations() -> "QuerySet[Registration]":
    """Accesses that nobody has switched off, nor what they belong to."""
    return Registration.objects.live(Registration.Protocol.HYPERCHAT)


_REGISTRATION = Prepared(
    lambda app_id: (
        live_registrations()
        .filter(foreign_id=app_id)
        .select_related("application", "channel__team", "center")
        .order_by("pk")[:1]
    )
)


def prove(registration: Registration, shown: Credentials, now: datetime) -> Caller | None:
    """The caller; None when anything that was shown is wrong, even if something else is right."""
    if shown.secret:
        known = registration.secret_hash
        is_right = bool(known) and compare_digest(hash_secret(shown.secret), known)
        return Caller(registration, Proof.SECRET) if is_right else None
    if shown.token:
        user = user_of_token(registration, shown.token, now)
        return Caller(registration, Proof.USER, user) if user else None
    if shown.domain_key:
        is_right = bool(registration.public_key) and compare_digest(
            shown.domain_key.encode(), registration.public_key.encode()
        )
        return Caller(registration, Proof.DOMAIN) if is_right else None
    return Caller(registration, Proof.APP)


def user_of_token(registration: Registration, token: str, now: datetime) -> Customer | Agent | None:
    """Whose token it is: a customer's session of this very application, or an agent's of one of its rooms."""
    if ":" in token:
        return _agent_of(registration, token)
    session = find_session(token, now)
    if session is None or session.channel_id != registration.channel_id:
        return None
    if KNOWN.first(registration.pk, session.customer_id) is None:
        return None
    if may_slide(session, now):
        unless_away(partial(slide_session, session, now))
    customer: Customer = session.customer
    return customer


# A customer whom clients of the application know.
KNOWN = Prepared(
    lambda registration, customer: ForeignCustomer.objects.filter(
        registration=registration, customer=customer
    ).select_related("customer")
)


def agent_token(registration: Registration, agent: Agent) -> str:
    """What POST /agents/login gives. It ends with the person's sessions (session_version) or after twelve hours, and counts while the agent is not offline."""
    said = [str(registration.pk), str(agent.pk), agent.user.session_version]
    return signing.dumps(said, salt=AGENT_SIGNER)


def _agent_of(registration: Registration, token: str) -> Agent | None:
    try:
        registration_id, agent_id, version = signing.loads(token, salt=AGENT_SIGNER, max_age=AGENT_TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        return None
    if registration_id != str(registration.pk):
        return None
    members = Membership.objects.filter(team__registration_teams__registration=registration).values("agent_id")
    seats = logged_in_agents().filter(center_id=registration.center_id, pk__in=members)
    agents = seats.filter(user__session_version=version)
    return agents.filter(pk=UUID(agent_id)).select_related("user", "center", "presence").first()


def logged_in_agents() -> "QuerySet[Agent]":
    """Whose tokens count: who is not offline."""
    return Agent.objects.active().filter(presence__status__in=[Presence.Status.ONLINE, Presence.Status.AWAY])


def _note_life(agent: Agent, now: datetime) -> None:
    """The agent's client is there. Who was thought to be gone is offered chats again at once."""
    if agent.presence.is_available(now):
        renew_leases([agent.pk], now + AGENT_LEASE)
    else:
        sign_in(agent, now)


def _shown(request: Any) -> Credentials:
    """From the headers; what is missing there, for reads, from the query."""
    http = request.headers
    query = request.query_params if request.method in ("GET", "HEAD") else {}
    return Credentials(
        app_id=http.get("x-hyper-appid") or request.query_params.get("appId", ""),
        secret=_plain(http.get("x-hyper-secret") or query.get("secret", "")),
        domain_key=_plain(http.get("x-hyper-key") or query.get("key", "")),
        token=_plain(http.get("x-hyper-token") or query.get("token", "")),
    )


def _plain(value: str) -> str:
    """A credential, or one that can only be wrong."""
    return value if value.isascii() and len(value) <= LONGEST else "?"
