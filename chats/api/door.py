"""The base of every view: who may call, what a body must be, which browsers may read the answer."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from chats.doors import origins
from chats.doors.browsers import tell_browser
from chats.doors.negotiation import LikelyRenderer
from chats.doors.reading import read as read
from chats.errors import Forbidden, Unauthorized
from chats.languages import accepted_language, spoken

from .principals import Caller, CustomerCaller, PublicCaller

CORS_HEADERS = "authorization, content-type, x-public-key"


class IsNamed(BasePermission):
    """The caller is one of those whom the view names for this method; `Anyone` among them needs no proof."""

    def has_permission(self, request: Request, view: Any) -> bool:
        allowed = view.callers.get("GET" if request.method == "HEAD" else request.method, ())
        if Anyone in allowed or isinstance(request.user, allowed):
            return True
        if not isinstance(request.user, Caller):
            raise Unauthorized
        raise Forbidden


class Anyone:
    """Stands in `callers` for a route that asks nobody who they are."""


class Door(APIView):
    """`callers` says by method who may come in; `open_to_pages` that browsers of allowed origins may read the answers."""

    callers: ClassVar[dict[str, tuple[type, ...]]] = {}
    open_to_pages: ClassVar[bool] = False
    permission_classes = (IsNamed,)
    content_negotiation_class: type[BaseContentNegotiation] = LikelyRenderer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.now = timezone.now()

    @property
    def caller(self) -> Any:
        """Who calls: one of the classes that `callers` names for this method."""
        return self.request.user

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Which methods there are; the rest of a preflight is said by `finalize_response`."""
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def perform_authentication(self, request: Request) -> None:
        # A preflight carries no proof, and what it may read is nobody's secret.
        if request.method != "OPTIONS":
            super().perform_authentication(request)
            _speak_with(request)

    def check_permissions(self, request: Request) -> None:
        if request.method != "OPTIONS":
            super().check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.open_to_pages:
            self._tell_browser(request, response)
        return response

    def allowed_origins(self, request: Request) -> list[str] | None:
        """The origins of the channel or application that this request is about; None while nobody is known."""
        caller = request.user if getattr(request, "_user", None) is not None else None
        if isinstance(caller, CustomerCaller):
            return list(caller.session.channel.allowed_origins)
        if isinstance(caller, PublicCaller):
            return list(caller.key.allowed_origins)
        return None

    def _tell_browser(self, request: Request, response: HttpResponseBase) -> None:
        origin = origins.origin_of(request)
        known = bool(origin) and not origins.is_own(request, origin) and self._is_allowed(request, origin)
        tell_browser(
            request, response, origin=origin if known else "", methods=self.allowed_methods, headers=CORS_HEADERS
        )

    def _is_allowed(self, request: Request, origin: str) -> bool:
        allowed = self.allowed_origins(request)
        return origin in allowed if allowed is not None else origins.is_known(origin)


def _speak_with(request: Request) -> None:
    """A customer is answered in the language that its client named. For everybody else LocaleMiddleware has chosen."""
    caller = request.user
    if isinstance(caller, CustomerCaller):
        accepted = accepted_language(request.headers.get("Accept-Language", ""))
        translation.activate(
            spoken(caller.customer.language, accepted, caller.center.language) or settings.LANGUAGE_CODE
        )
