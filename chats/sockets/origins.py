"""Which pages may open a socket: browsers say by the Origin header where the page comes from, programs say nothing."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host


def is_own(origin: str, host: str | None, is_secure: bool) -> bool:
    """A page of this server: of its public address, one of CSRF_TRUSTED_ORIGINS, or of the very host that was asked (if it is ours)."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    if not host or origin != f"{'https' if is_secure else 'http'}://{host}":
        return False
    hosts = ["*"] if settings.DEBUG else settings.ALLOWED_HOSTS
    return validate_host(split_domain_port(host)[0], hosts)


def is_allowed(origin: str | None, host: str | None, *, is_secure: bool, allowed: Iterable[Any] = ()) -> bool:
    """`origin` None: not a browser. `allowed`: a channel's own list, compared without upper case."""
    if origin is None:
        return True
    if not _has_host(origin):
        return False
    own = is_own(origin, host, is_secure)
    return own or origin.lower() in {str(one).lower().rstrip("/") for one in allowed}


def _has_host(origin: str) -> bool:
    try:
        return bool(urlsplit(origin).hostname)
    except ValueError:  # half an IPv6 address, say
        return False
