"""The base of every view of a foreign API: English sentences for programmers, answers that pages of allowed origins may read, refusals with a status.

Each API's own base says whose origins count (`allowed_origins`) and how a refusal looks (`refuse`).
"""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import structlog
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chats.errors import Refused

from . import origins
from .browsers import tell_browser
from .negotiation import FirstRenderer
from .refusals import refusal_of

log = structlog.get_logger(__name__)


class ForeignDoor(APIView):
    """`now` is set before a method is called."""

    cors_headers: ClassVar[str] = ""  # that pages may send
    exposed_headers: ClassVar[str] = "Retry-After"
    takes_cookies: ClassVar[bool] = False  # of pages' requests
    cache_control: ClassVar[str] = "no-store"  # empty: as each view says

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)
    content_negotiation_class = FirstRenderer
    schema: Any = None

    now: datetime

    def allowed_origins(self) -> list[str] | None:
        """Of the application that the request is about; None while nobody is known: then those of any count."""
        return None

    @abstractmethod
    def refuse(self, error: Exception, refused: Refused | None, status: int) -> Response:
        """What is said; `refused`: what our rules make of the error, None for a fault of our own."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):  # clients compare sentences, and programmers read them
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = timezone.now()
        super().initial(request, *args, **kwargs)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.cache_control:
            response["Cache-Control"] = self.cache_control
        origin, allowed = origins.origin_of(request), self.allowed_origins()
        known = origin in allowed if allowed is not None else bool(origin) and origins.is_known(origin)
        tell_browser(
            request,
            response,
            origin=origin if known else "",
            methods=self.allowed_methods,
            headers=self.cors_headers,
            exposed=self.exposed_headers,
            credentials=self.takes_cookies,
        )
        return response

    def handle_exception(self, exc: Exception) -> Response:
        """The outermost door: never a page or a traceback."""
        refused, status = refusal_of(exc)
        if refused is None:
            log.error("request failed", view=type(self).__name__, error=type(exc).__name__, exc_info=exc)
        response = self.refuse(exc, refused, status)
        if isinstance(exc, exceptions.MethodNotAllowed):
            response["Allow"] = ", ".join(self.allowed_methods)
        if response.status_code in (429, 503):
            response["Retry-After"] = str(max(1, round((refused.retry_after if refused else None) or 2)))
        response.exception = True
        return response
