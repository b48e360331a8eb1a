"""The base of every view: JSON in and out, also for errors (a client reads each answer as JSON), browsers of allowed origins."""

from io import BytesIO
from typing import Any

import structlog
from django.http import QueryDict
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from chats.doors.foreign import ForeignDoor
from chats.doors.parsers import StrictJSONParser
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


class Door(ForeignDoor):
    """Each view lets its caller in itself: the body may name the contact center."""

    cors_headers = CORS_HEADERS
    parser_classes = (LooseFormParser, MultiPartParser, AnyParser)

    caller: Caller | None = None

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

    # Refusals ---------------------------------------------------------------------------------------------------------

    def allowed_origins(self) -> list[str] | None:
        return self.caller.registration.application.allowed_origins if self.caller else None

    def refuse(self, error: Exception, refused: Refused | None, status: int) -> Response:
        status = STATUSES.get(refused.code, status) if refused else status
        response = Response(envelope(status, sentence_of(refused)), status=status)
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
