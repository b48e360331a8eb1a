"""The base of every view: who asks, JSON in and out, ETags, errors in the form that the SDKs read, browsers of allowed origins.

A view has a method for each HTTP method, and `allows_apps` where customers' sessions may knock, too; `is_open`: nobody shows anything.
"""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, ClassVar

import structlog
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chats.doors.foreign import ForeignDoor
from chats.doors.origins import check_origin
from chats.doors.parsers import StrictJSONParser
from chats.errors import Forbidden, Invalid, NotFound, Refused
from contactcenter.models import Registration

from .callers import Caller, by_basic, by_bearer, count_stranger, registration_of
from .etags import etag_of
from .names import iso
from .openapi import SpaceSchema

log = structlog.get_logger(__name__)

CORS_HEADERS = (
    "Authorization, Content-Type, Cache-Control, Pragma, If-Modified-Since, If-Match, Accept, X-Requested-With"
)
NO_APPS = "A session's token does not open this."


class AnyParser(StrictJSONParser):
    """JSON whatever the content type says; no body at all is an empty object."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read()
        return super().parse(BytesIO(body)) if body.strip() else {}


class Door(ForeignDoor):
    """Set before a method is called: `caller` (or, where `is_open`, `registration` alone) and `now`."""

    allows_apps: ClassVar[bool] = False  # customers' sessions may knock, and see their own only
    is_open: ClassVar[bool] = False
    # What is asked for by method, for `read` and `read_query` and for our OpenAPI description.
    asks: ClassVar[Mapping[str, type[serializers.BaseSerializer[Any]]]] = {}
    queries: ClassVar[Mapping[str, type[serializers.Serializer[Any]]]] = {}

    cors_headers = CORS_HEADERS
    exposed_headers = "ETag, Last-Modified, Retry-After"
    parser_classes = (AnyParser,)
    schema = SpaceSchema()

    caller: Caller
    registration: Registration | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        space_id = self.kwargs.pop("space_id", None)
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS":
            return
        if space_id is None:
            self.caller = by_basic(request)
            self.registration = self.caller.registration
        else:
            self.registration = registration_of(space_id)
            if self.is_open:
                count_stranger(request)
                check_origin(request, self.registration.application.allowed_origins)
            else:
                self.caller = by_bearer(request, self.registration, self.now)
        if not self.is_open and self.caller.session is not None:
            check_origin(request, self.registration.application.allowed_origins)
            if not self.allows_apps:
                raise Forbidden(NO_APPS)

    def programs_only(self) -> None:
        """Where apps may knock, but not with this method. Raises Forbidden."""
        if not self.caller.is_program:
            raise Forbidden(NO_APPS)

    # Reading ----------------------------------------------------------------------------------------------------------

    def body(self) -> dict[str, Any]:
        """The body's members. Raises Invalid for what is no object."""
        found = self.request.data
        if not isinstance(found, dict):
            raise Invalid(fields={"body": "must be a JSON object."})
        return found

    def read(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """What the body says, as the serializer's validated data; unknown members are tolerated. Raises Invalid with fields."""
        asked = form(data=self.body())
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        return said

    def read_query(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        asked = form(data=self.request.query_params.dict())
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        return said

    # Answering --------------------------------------------------------------------------------------------------------

    def entity(self, shape: dict[str, Any], *, changed_at: datetime | None = None, status: int = 200) -> Response:
        """One entity with its ETag, and Last-Modified (in ISO 8601, as the original's description has it)."""
        headers = {"ETag": etag_of(shape)}
        if changed_at is not None:
            headers["Last-Modified"] = iso(changed_at) or ""
        return Response(shape, status=status, headers=headers)

    # Refusals ---------------------------------------------------------------------------------------------------------

    def allowed_origins(self) -> list[str] | None:
        return self.registration.application.allowed_origins if self.registration else None

    def refuse(self, error: Exception, refused: Refused | None, status: int) -> Response:
        response = Response(envelope(status, refused), status=status)
        if status == 401:
            response["WWW-Authenticate"] = 'Basic realm="cpaas", charset="UTF-8"' if self.is_cpaas else "Bearer"
        return response

    @property
    def is_cpaas(self) -> bool:
        return self.request.path.startswith("/cpaas")


class Nowhere(Door):
    """Every other address, for who may knock at all."""

    allows_apps = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            raise NotFound


def envelope(status: int, refused: Refused | None) -> dict[str, Any]:
    """{message}, and for every 400 {validationFailures: [{paramName, message}]} beside it, which the SDKs parse."""
    if refused is None:
        return {"message": "Something went wrong here. Try again."}
    said: dict[str, Any] = {"message": sentence_of(refused)}
    if status == 400:
        fields = refused.fields or {"body": refused.message}
        said["validationFailures"] = [{"paramName": name, "message": str(why)} for name, why in fields.items()]
    return said


def speak(status: int, code: str, sentence: str) -> dict[str, Any]:
    """How the edge, which refuses before any view is asked, speaks below this door's addresses."""
    refused = Refused(sentence)
    refused.code = code
    return envelope(status, refused)


def sentence_of(refused: Refused) -> str:
    if refused.fields:
        return "; ".join(f"{name}: {why}" for name, why in refused.fields.items())
    return str(refused.message)
