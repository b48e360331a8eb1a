"""Middlewares that people's pages need, spared where programs call: they cost more than most answers.

Whoever sends no session cookie to an API is nobody whom a session knows: no session, no person, no messages. Security
headers, CSRF's guard and the content security policy stand in every answer all the same.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.common import CommonMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.deprecation import MiddlewareMixin

# Of the APIs that speak English alone; ours answers in the caller's language.
FOREIGN_PREFIXES = ("/v1/", "/api/v2/", "/eservices/", "/apispaces/", "/cpaas/")
PREFIXES = ("/api/v1/", *FOREIGN_PREFIXES)


def is_program(request: HttpRequest) -> bool:
    """Whether this is a call of an API that no session speaks for."""
    return request.path_info.startswith(PREFIXES) and settings.SESSION_COOKIE_NAME not in request.COOKIES


class _Spared(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_program(request) else super().__call__(request)


class Sessions(_Spared, SessionMiddleware):
    """request.session"""


class People(_Spared, AuthenticationMiddleware):
    """request.user"""


class Messages(_Spared, MessageMiddleware):
    """What a page says at the next look."""


class Languages(LocaleMiddleware):
    """The language of the cookie or of Accept-Language."""

    def __call__(self, request: HttpRequest) -> Any:
        is_foreign = request.path_info.startswith(FOREIGN_PREFIXES)
        return self.get_response(request) if is_foreign else super().__call__(request)


class Common(CommonMiddleware):
    """Django's own; it tries every address of an API once more with a slash, which there none has."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return not request.path_info.startswith(PREFIXES) and super().should_redirect_with_slash(request)
