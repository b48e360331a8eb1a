"""Which of several contact centers is meant by who names none, or one that several share: by the host, else the installation's default."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest

from contactcenter.models import Registration

Row = TypeVar("Row", bound=Registration)


def narrow(candidates: Sequence[Row], request: Any) -> list[Row]:
    """The candidates of one center; nothing where it stays unclear which."""
    if len({one.center_id for one in candidates}) <= 1:
        return list(candidates)
    host = host_of(request)
    of_host = [one for one in candidates if one.center.host and one.center.host == host]
    return of_host or [one for one in candidates if one.center.slug == settings.DEFAULT_CONTACT_CENTER]


def host_of(request: Any) -> str:
    """The host that the request was sent to, without its port."""
    http: HttpRequest = getattr(request, "_request", request)
    return http.get_host().partition(":")[0]
