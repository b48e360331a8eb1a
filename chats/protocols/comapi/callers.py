"""Who asks: a program that shows the API space's access token or password, or a customer's app that shows its session's token."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.db.models import QuerySet

from chats.doors.passwords import basic_credentials
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, WRONG_PASSWORDS, address_of, count
from chats.errors import Forbidden, Unauthorized
from chats.models import AppSession, ForeignCustomer
from contactcenter.models import ApiSpace, Registration, hash_secret
from contactcenter.prepared import Prepared

LONGEST = 4000  # characters of a token
ALGORITHM = "HS256"
NO_ACCESS = "Show the API space's access token, its user name and password, or a session's token."
UNKNOWN = "There is no such API space."


@dataclass(frozen=True)
class Caller:
    """`session` is None for a program of the center, which may do everything in the space."""

    registration: Registration
    session: AppSession | None = None
    is_basic: bool = False

    @property
    def is_program(self) -> bool:
        return self.session is None

    @property
    def profile(self) -> ForeignCustomer | None:
        """Whose app asks."""
        return self.session.profile if self.session else None

    @property
    def actor(self) -> str:
        """As _createdBy and _updatedBy name it: access:<guid> or session:<profileId>."""
        if self.session:
            return f"session:{self.session.profile.external_id}"
        return f"access:{self.registration.application_id}"

    @property
    def space(self) -> ApiSpace:
        return ApiSpace.of(self.registration)


def live_registrations() -> "QuerySet[Registration]":
    """Those that nobody has switched off, nor what they belong to."""
    live = Registration.objects.live(Registration.Protocol.COMAPI)
    return live.select_related("application", "channel__team", "channel__center", "center", "space")


_REGISTRATION = Prepared(lambda space_id: live_registrations().filter(foreign_id=space_id).order_by("pk")[:1])


def registration_of(space_id: str) -> Registration:
    """The API space of a path. Raises Forbidden for an unknown one, as for one of another region (403)."""
    found = _REGISTRATION.first(space_id) if _is_plain(space_id) else None
    if found is None:
        raise Forbidden(UNKNOWN)
    return found


def by_bearer(request: Any, registration: Registration, now: datetime) -> Caller:
    """Below /apispaces. Raises Unauthorized, TooMany for who guesses."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(NO_ACCESS)
    return by_token(request, registration, token.strip(), now)


def by_token(request: Any, registration: Registration, token: str, now: datetime) -> Caller:
    """An access token, or a session's. Raises Unauthorized, TooMany."""
    if _is_plain(token, LONGEST):
        shown = hash_secret(token)
        kept = (registration.secret_hash, registration.application.secret_hash)
        if any(one and hmac.compare_digest(one, shown) for one in kept):
            return Caller(registration)
        if session := session_of(registration, token, now):
            return Caller(registration, session)
    raise wrong(request)


def by_basic(request: Any) -> Caller:
    """Below /cpaas. Raises Unauthorized, TooMany."""
    shown = basic_credentials(request)
    if shown is None:
        raise Unauthorized(NO_ACCESS)
    name, password = shown
    found = live_registrations().filter(space__user_name=name).first() if _is_plain(name) else None
    kept = found.space.password_hash if found else ""
    if found is None or not kept or not hmac.compare_digest(kept, hash_secret(password)):
        raise wrong(request)
    return Caller(found, is_basic=True)


def wrong(request: Any) -> Exception:
    """Counts a wrong guess; what to raise for it. Raises TooMany itself."""
    count(WRONG_PASSWORDS, address_of(request))
    return Unauthorized(NO_ACCESS)


def count_stranger(request: Any) -> None:
    """A request that shows nothing. Raises TooMany."""
    count(ANONYMOUS_BY_ADDRESS, address_of(request))


# Sessions' tokens ---------------------------------------------------------------------------------------------------------


def token_of(session: AppSession) -> str:
    """Three parts, as the SDK wants it: it reads `exp` and `apiSpaceId` and discards a token that lacks them."""
    claims = {
        "iat": int(session.created_at.timestamp()),
        "exp": int(session.expires_at.timestamp()),
        "apiSpaceId": session.registration.foreign_id,
        "sessionId": str(session.pk),
    }
    return jwt.encode(claims, signing_key("session"), algorithm=ALGORITHM)


_SESSION = Prepared(
    lambda registration, session, now: (
        AppSession.objects.live(now)
        .filter(registration=registration, pk=session)
        .select_related("profile__customer", "registration")
    )
)


def session_of(registration: Registration, token: str, now: datetime) -> AppSession | None:
    """The live session that the token proves, with its profile and customer; None for any other token."""
    try:
        claims = jwt.decode(
            token, signing_key("session"), algorithms=[ALGORITHM], options={"verify_exp": False, "verify_iat": False}
        )
        session_id = UUID(str(claims.get("sessionId")))
    except (jwt.InvalidTokenError, ValueError):
        return None
    found = _SESSION.first(registration.pk, session_id, now)
    if found is not None:
        found.registration = registration
    return found


def signing_key(purpose: str) -> str:
    """A key of this installation for one kind of token."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"comapi {purpose}".encode(), "sha256").hex()


def _is_plain(value: str, longest: int = 200) -> bool:
    return value.isascii() and value.isprintable() and 0 < len(value) <= longest
