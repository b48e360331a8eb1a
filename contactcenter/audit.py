"""Writing the audit log: sign-ins, changes of settings and rights, secrets, exports. Nobody can change a line of it (migration 0002)."""

import ipaddress
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from .models import AuditEntry, ContactCenter, User


def note(
    action: str,
    *,
    request: HttpRequest | None = None,
    user: User | AnonymousUser | None = None,
    actor: str = "",
    center: ContactCenter | None = None,
    subject: object = "",
    changes: dict[str, Any] | None = None,
) -> AuditEntry:
    """One line: who (the request's user, else `user`, else the name `actor`) did what to what, from where.

    `changes`: plain values by field, [old, new] where a field changed. Never secrets, never what customers and agents wrote.
    """
    person = user if user is not None else getattr(request, "user", None)
    known = person if isinstance(person, User) else None
    return AuditEntry.objects.create(
        center=center,
        user=known,
        actor=_line(actor or (known.get_username() if known else "system")),
        action=action,
        subject=_line(subject),
        changes=changes or {},
        address=address_of(request),
    )


def address_of(request: HttpRequest | None) -> str | None:
    """The client's address. The server in front has set it from the proxies that it trusts."""
    try:
        return str(ipaddress.ip_address(request.META["REMOTE_ADDR"])) if request else None
    except (KeyError, ValueError):
        return None


def _line(value: object) -> str:
    """One printable line: a name with a line break in it must not look like two entries."""
    return "".join(sign if sign.isprintable() else " " for sign in str(value))[:200]
