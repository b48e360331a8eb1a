"""The base of every view: JSON in and out, also for errors (a client reads each answer as JSON), browsers of allowed origins."""

from io import BytesIO
from typing import Any

import structlog
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chats.doors import origins
from chats.doors.browsers import tell_browser
from chats.doors.negotiation import AlwaysJson
from chats.doors.parsers import StrictJSONParser
from chats.doors.refusals import refusal_of
from chats.errors import Invalid, NotFound, Refused

from .callers import Caller, admit

log = structlog.get_logger(__name__)

CORS_HEADERS = "Content-Type, Authorization, ContactCenterId, X-Requested-With, Accept"
# What their documentation has no status for: a center that is closed, or has no team, cannot serve.
STATUSES = {"outside_hours": 503}


class AnyParser(StrictJSONParser):
    """JSON whatever the content type says."""

    media_type = "*/*"


class LooseFormParser(FormParser):
    """A form in UTF-8; JSON that is sent as one, as pages do that set no content type, is read as JSON."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        if body.lstrip().startswith(b"{"):
            return StrictJSONParser().parse(BytesIO(body))
        return QueryDict(body, encoding="utf-8")


class Door(APIView):
    """Each view lets its caller in itself: the body may name the contact center."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (LooseFormParser, MultiPartParser, AnyParser)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJson
    schema = None

    caller: Caller | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):  # who builds the page reads the sentences, not who visits it
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = timezone.now()
        super().initial(request, *args, **kwargs)

    def said(self) -> dict[str, Any]:
        """The query and, over it, the body's members. Raises Invalid for what is no object."""
        found = self.request.data
        if not isinstance(found, dict):
            raise Invalid("The body must be a JSON object.")
        return {**self.request.query_params.dict(), **dict(found.items())}

    def admit(self, said: dict[str, Any]) -> Caller:
        """Who asks; from then on its pages may read the answer. Raises Forbidden, Unauthorized, TooMany."""
        self.caller = admit(self.request, said)
        return self.caller

    # Browsers ---------------------------------------------------------------------------------------------------------

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        origin = origins.origin_of(request)
        allowed = self.caller.registration.application.allowed_origins if self.caller else None
        known = origin in allowed if allowed is not None else origins.is_known(origin)
        tell_browser(
            request, response, origin=origin if known else "", methods=self.allowed_methods, headers=CORS_HEADERS
        )
        return response

    # Errors -----------------------------------------------------------------------------------------------------------

    def handle_exception(self, exc: Exception) -> Response:
        refused, status = refusal_of(exc)
        if refused is None:
            log.error("request failed", view=type(self).__name__, error=type(exc).__name__, exc_info=exc)
        status = STATUSES.get(refused.code, status) if refused else status
        response = Response(envelope(status, sentence_of(refused)), status=status)
        if status in (429, 503):
            response["Retry-After"] = str(max(1, round((refused.retry_after if refused else None) or 2)))
        response.exception = True
        # Django's log would name the path, and with it a conversation.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


class Nowhere(Door):
    """Every other address."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            raise NotFound


def envelope(status: int, sentence: str) -> dict[str, Any]:
    """An error, over REST and as an acknowledgement: the same member `code` that says 200 there."""
    return {"code": status, "error": sentence, "message": sentence}


def speak(status: int, _code: str, sentence: str) -> dict[str, Any]:
    """How the edge, which refuses before any view is asked, speaks below this door's addresses."""
    return envelope(status, sentence)


def sentence_of(refused: Refused | None) -> str:
    if refused is None:
        return "Something went wrong here. Try again."
    if refused.fields:
        return "; ".join(f"{name}: {why}" for name, why in refused.fields.items())
    return str(refused.message)
