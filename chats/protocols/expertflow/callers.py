"""Whose contact center is meant, and whether its own program asks: one that shows the application's secret.

A gadget shows nothing. It proves by its conversation's id and its participant's id, both random and said to nobody else, that a conversation is its own.
"""

from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from django.db.models import Q, QuerySet

from chats.doors.centers import narrow
from chats.doors.origins import check_origin
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, ANONYMOUS_BY_KEY, WRONG_PASSWORDS, address_of, count
from chats.errors import Forbidden, Unauthorized
from contactcenter.models import Registration, hash_secret

CENTER_NAMES = ("contactCenterId", "ContactCenterId", "contactcenterid")
SECRET_NAMES = ("secret", "applicationSecret")
LONGEST = 200  # characters of an id or a secret
UNKNOWN = "This contact center is not known."
UNCLEAR = "Name the contact center as contactCenterId: it is not clear which one is meant."
WRONG = "Wrong secret"


@dataclass(frozen=True)
class Caller:
    """`is_proven`: has shown the application's secret, so it may speak of accounts that are not its own."""

    registration: Registration
    is_proven: bool = False

    @property
    def may_connect(self) -> bool:
        """Whether it may be a connector."""
        return self.is_proven or not self.registration.demands_secret


def live_registrations() -> "QuerySet[Registration]":
    """Those that nobody has switched off, nor what they belong to; the oldest first."""
    live = Registration.objects.live(Registration.Protocol.EXPERTFLOW)
    rows = live.select_related("application", "channel__team", "channel__center", "center")
    return rows.order_by("created_at", "pk")


def admit(request: Any, said: dict[str, Any]) -> Caller:
    """Who asks. `said`: what the body, the query or the handshake names. Calls and wrong guesses are counted.

    Raises Forbidden (no center, or a page of another origin), Unauthorized (a wrong secret), TooMany.
    """
    count(ANONYMOUS_BY_ADDRESS, address_of(request))
    secret = _secret(request, said)
    registration = find_registration(request, said, secret)
    is_proven = bool(secret) and has_secret(registration, secret)
    if secret and not is_proven:
        count(WRONG_PASSWORDS, address_of(request))
        raise Unauthorized(WRONG)
    if not is_proven:
        check_origin(request, registration.application.allowed_origins)
        count(ANONYMOUS_BY_KEY, str(registration.pk))
    return Caller(registration, is_proven)


def find_registration(request: Any, said: dict[str, Any], secret: str = "") -> Registration:
    """By contactCenterId (or our short name of the center), else by the host, the installation's default, or because it is the only one. Raises Forbidden.

    Of several accesses of one center the one is meant whose secret is shown, else the oldest.
    """
    found = live_registrations()
    named = named_center(request, said)
    if named:
        found = found.filter(Q(foreign_id=named) | Q(center__slug=named))
    candidates = list(found)
    if named and not candidates:
        raise Forbidden(UNKNOWN)
    candidates = narrow(candidates, request)
    if not candidates:
        raise Forbidden(UNCLEAR)
    if secret:
        return next((one for one in candidates if has_secret(one, secret)), candidates[0])
    return next((one for one in candidates if one.foreign_id == named), candidates[0])


def has_secret(registration: Registration, secret: str) -> bool:
    """Its own, or the secret key of its application."""
    shown = hash_secret(secret)
    kept = (registration.secret_hash, registration.application.secret_hash)
    return any(one and compare_digest(one, shown) for one in kept)


def named_center(request: Any, said: dict[str, Any]) -> str:
    """The contact center that is named; empty for none."""
    return _plain(_first(said, CENTER_NAMES) or request.headers.get("ContactCenterId"))


def shows_secret(request: Any, said: dict[str, Any]) -> bool:
    """Whether it means to be the center's own program."""
    return bool(_secret(request, said))


def _secret(request: Any, said: dict[str, Any]) -> str:
    """`Authorization: Bearer …`, else as the query or the handshake names it: programs that we cannot change add it to the address."""
    scheme, _space, shown = request.headers.get("Authorization", "").partition(" ")
    return _plain(shown if scheme.lower() == "bearer" else _first(said, SECRET_NAMES))


def _first(said: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((value for name in names if (value := said.get(name)) not in (None, "")), None)


def _plain(value: Any) -> str:
    """What may be an id or a secret; for anything else one that is nobody's."""
    if value in (None, ""):
        return ""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isascii() and text.isprintable() and 0 < len(text) <= LONGEST else "?"
