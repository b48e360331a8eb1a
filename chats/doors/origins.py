"""From which web pages a browser may call: the origins that a channel or an application allows, and our own pages.

An origin binds browsers only; who sends none is no browser, and gets no further than its key or token.
"""

import re
from typing import Any

from django.conf import settings
from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext as _

from chats.errors import Forbidden
from contactcenter.models import Application, Channel

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,253}")


def origin_of(request: Any) -> str:
    """The Origin header as sent; empty when there is none."""
    return str(request.headers.get("Origin", ""))


def is_own(request: Any, origin: str) -> bool:
    """Whether it is one of our own pages: the widget's panel is a frame of ours."""
    http: HttpRequest = getattr(request, "_request", request)
    return origin in (f"{http.scheme}://{http.get_host()}", settings.BASE_URL)


def is_allowed(request: Any, allowed: list[str]) -> bool:
    origin = origin_of(request)
    return not origin or is_own(request, origin) or origin in allowed


def check_origin(request: Any, allowed: list[str]) -> None:
    """Raises Forbidden for a page that the center has not allowed."""
    if not is_allowed(request, allowed):
        raise Forbidden(_("This site is not among the allowed origins."))


def is_known(origin: str) -> bool:
    """Whether any channel or application allows it: all that a preflight, which names nobody, can be asked."""
    if not _ORIGIN.fullmatch(origin):
        return False
    # Neither engine can search a JSON list alike; as text both can. An origin has nothing in it that JSON would escape.
    for model in (Channel, Application):
        rows = model._default_manager.filter(is_active=True, center__is_active=True)
        listed = rows.annotate(listed=Cast("allowed_origins", TextField())).filter(listed__contains=f'"{origin}"')
        if listed.exists():
            return True
    return False
