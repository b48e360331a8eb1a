"""Persons who prove themselves to a door by an application password; never by their own."""

import base64
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from chats.actions.keys import is_stale, note_used
from chats.errors import Unauthorized
from contactcenter.models import ApplicationPassword, User, hash_secret

from .bookkeeping import unless_away
from .throttles import WRONG_PASSWORDS, address_of, count

MOST_ENCODED = 2000  # characters


def person_of(request: Any, name: str, secret: str, now: datetime) -> User:
    """Whose password it is; `name` is the person's user name or address. Raises Unauthorized, and TooMany for who guesses."""
    passwords = ApplicationPassword.objects.filter(user__is_active=True).select_related("user")
    known = passwords.filter(secret_hash=hash_secret(secret)).first()
    if known is None or not _is_called(known.user, name):
        # Only wrong ones are counted: nobody can lock out a program that knows its password.
        count(WRONG_PASSWORDS, address_of(request))
        raise Unauthorized(_("The name or the application password is wrong."))
    if is_stale(known, now):
        unless_away(lambda: note_used(known, now))
    person: User = known.user
    return person


def read_basic(encoded: str) -> tuple[str, str]:
    """Name and password of HTTP Basic (RFC 7617), in UTF-8. Raises Unauthorized."""
    try:
        name, _colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise Unauthorized from None
    return name, secret


def basic_credentials(request: Any) -> tuple[str, str] | None:
    """Name and password of HTTP Basic; None where the request shows none. Raises Unauthorized for what cannot be read."""
    scheme, _space, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    return read_basic(encoded.strip()[:MOST_ENCODED])


def _is_called(person: User, name: str) -> bool:
    return name == person.get_username() or (bool(person.email) and name.lower() == person.email.lower())
