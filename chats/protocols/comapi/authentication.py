"""How a customer's app proves who uses it: an authentication that we begin, and a JWT about it that the center's server has signed.

Nothing is stored before the session: an authentication carries its own signature, so every server process knows it.
    authenticationId   <uuid>.<unix seconds of its end>.<signature>; the uuid becomes the session's id, so it is good for one session
    nonce              derived from the authenticationId
The JWT: HS256 with the space's shared secret; its claims id_claim (the profile's id), nonce, iat and exp in seconds; iss and aud where the
space names them. An anonymous one is signed by ourselves: its profile's id begins with anon_, and no other's does.
"""

import hmac
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt

from chats.errors import Forbidden
from contactcenter.models import ApiSpace, Registration

from .callers import ALGORITHM, LONGEST, signing_key

ANONYMOUS = "anon_"
LEAST_ANONYMOUS, MOST_ANONYMOUS = 16, 150  # characters of the id that a visitor's client makes: it is a secret
AUTHENTICATION = timedelta(minutes=10)
ANONYMOUS_TOKEN = timedelta(minutes=10)
LEEWAY = 60  # seconds between two servers' clocks
LAST_SECOND = 10**11  # the year 5138: what is later was meant in milliseconds
INVALID = "Invalid JWT"


def begin(registration: Registration, now: datetime) -> tuple[str, str, datetime]:
    """(authenticationId, nonce, its end)."""
    until = now + AUTHENTICATION
    name = f"{uuid4()}.{int(until.timestamp())}"
    authentication = f"{name}.{_sign(registration, 'authentication', name)}"
    return authentication, nonce_of(registration, authentication), until


def nonce_of(registration: Registration, authentication: str) -> str:
    return _sign(registration, "nonce", authentication)[:32]


def session_id_of(registration: Registration, authentication: str, now: datetime) -> UUID:
    """Raises Forbidden for one that we did not begin, or that has ended."""
    name, _dot, signature = authentication.rpartition(".")
    session_id, _dot, until = name.partition(".")
    expected = _sign(registration, "authentication", name)
    if not hmac.compare_digest(expected.encode(), signature.encode()) or int(until) < now.timestamp():
        raise Forbidden("This authentication is unknown, or has ended. Begin a new one.")
    return UUID(session_id)


def anonymous_token(registration: Registration, visitor: str, nonce: str, now: datetime) -> str:
    """What a visitor who signs in nowhere proves an id with. Raises Forbidden where the space has none."""
    if not ApiSpace.of(registration).allows_anonymous:
        raise Forbidden("This API space has no anonymous sessions.")
    claims = {"sub": ANONYMOUS + visitor.removeprefix(ANONYMOUS), "nonce": nonce, "aud": registration.foreign_id}
    times = {"iat": int(now.timestamp()), "exp": int((now + ANONYMOUS_TOKEN).timestamp())}
    return jwt.encode(claims | times, signing_key("anonymous"), algorithm=ALGORITHM)


def profile_of(registration: Registration, token: str, nonce: str) -> str:
    """The id that the token proves. Raises Forbidden."""
    space = ApiSpace.of(registration)
    claims = _anonymous(registration, token) if space.allows_anonymous else None
    if claims is not None:
        profile_id = claims.get("sub")
    else:
        claims = _signed_by(space, token)
        profile_id = claims.get(space.id_claim)
        if isinstance(profile_id, str) and profile_id.startswith(ANONYMOUS):
            raise Forbidden(INVALID)  # whoever signs in is not anonymous
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(errors="replace"), nonce.encode()):
        raise Forbidden(INVALID)
    if isinstance(profile_id, bool) or not isinstance(profile_id, str | int) or profile_id == "":
        raise Forbidden(INVALID)
    return str(profile_id)


def _anonymous(registration: Registration, token: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = jwt.decode(
            token,
            signing_key("anonymous"),
            algorithms=[ALGORITHM],
            audience=registration.foreign_id,
            leeway=LEEWAY,
            options={"require": ["exp", "sub", "nonce"]},
        )
    except jwt.InvalidTokenError:
        return None
    return found


def _signed_by(space: ApiSpace, token: str) -> dict[str, Any]:
    key = space.shared_secret
    if not key or len(token) > LONGEST:
        raise Forbidden(INVALID)
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=space.issuer or None,
            audience=space.audience or None,
            leeway=LEEWAY,
            # A subject that is a number is somebody's id, too; it is looked at after this.
            options={"require": ["exp"], "verify_aud": bool(space.audience), "verify_sub": False},
        )
    except (jwt.InvalidTokenError, ValueError, OverflowError):
        raise Forbidden(INVALID) from None
    times = [claims[name] for name in ("iat", "exp") if name in claims]
    if not all(
        isinstance(time, int | float) and not isinstance(time, bool) and 0 < time < LAST_SECOND for time in times
    ):
        raise Forbidden(INVALID)
    return claims


def _sign(registration: Registration, purpose: str, text: str) -> str:
    """Hex. The space is part of what is signed: another's authentication is unknown here."""
    words = f"{registration.pk} {text}".encode(errors="replace")
    return hmac.digest(signing_key(purpose).encode(), words, "sha256").hex()
