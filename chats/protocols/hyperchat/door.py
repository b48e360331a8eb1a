"""The base of every view below /v1: what proof a route wants, reading bodies as their clients send them, errors in their envelope."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

import structlog
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chats.doors import origins
from chats.doors.parsers import StrictJSONParser, check_value
from chats.doors.refusals import refusal_of
from chats.errors import Forbidden, Invalid, NotFound, Refused

from .callers import Caller, HyperchatAuthentication, Proof
from .reach import Reach

log = structlog.get_logger(__name__)

Read = TypeVar("Read", bound=serializers.BaseSerializer[Any])

CORS_HEADERS = "content-type, x-hyper-appid, x-hyper-secret, x-hyper-key, x-hyper-token, x-inbenta-hyperchat-client-lib"
PREFLIGHT_SECONDS = "600"
# In the words that their clients compare; everything else is said as our rules say it.
SENTENCES = {"not_found": "Not found", "unauthorized": "Unauthorized", "forbidden": "Forbidden"}


class AnyParser(StrictJSONParser):
    """JSON whatever the content type says, or where it says nothing."""

    media_type = "*/*"


class AsMade(DefaultContentNegotiation):
    """JSON, or a file as it is, whatever the client says it accepts: a picture's tag on a page accepts pictures alone."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class HasProof(BasePermission):
    """The route's `access` names the proof that the caller has shown."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = view.access.get("GET" if request.method == "HEAD" else request.method)
        caller: Any = request.user
        if wanted is not None and caller.proof not in wanted:
            raise Forbidden("Not allowed with these credentials")
        return True


class Door(APIView):
    """`access` says by method what proof is wanted (chats.protocols.hyperchat.callers.PUBLIC, SERVER, USER_OR_SERVER)."""

    access: ClassVar[dict[str, frozenset[Proof]]] = {}
    authentication_classes: Sequence[type[BaseAuthentication]] = (HyperchatAuthentication,)
    permission_classes: tuple[type[BasePermission], ...] = (HasProof,)
    parser_classes = (StrictJSONParser, FormParser, MultiPartParser, AnyParser)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AsMade
    schema = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):  # clients compare sentences; they speak no other language here
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = timezone.now()
        super().initial(request, *args, **kwargs)

    @property
    def caller(self) -> Caller:
        return self.request.user  # type: ignore[return-value]

    @property
    def reach(self) -> Reach:
        """What this caller may reach."""
        return Reach(self.caller)

    def body(self) -> dict[str, Any]:
        """The body's members; a form's fields as texts. Raises Invalid for what is no object.

        Called only where a body is wanted: after an upload, one client sends its old body again with everything, with reads too.
        """
        found = self.request.data
        if hasattr(found, "dict"):
            found = found.dict()
            check_value({name: value for name, value in found.items() if isinstance(value, str)})
        if not isinstance(found, dict):
            raise Invalid("The body must be a JSON object")
        return found

    def spare_body(self) -> dict[str, Any]:
        """The body where one may be left out; an upload that is sent once more counts as none, also a broken one."""
        kind = str(self.request.content_type or "")
        return {} if kind.startswith("multipart/") else self.body()

    def query(self) -> dict[str, Any]:
        """The address' members, the last of each name."""
        found: dict[str, Any] = self.request.query_params.dict()
        return found

    def read(self, serializer: type[Read], data: Any = None) -> dict[str, Any]:
        """What the serializer makes of the body (or of `data`). Raises DRF's ValidationError."""
        return read_as(serializer, self.body() if data is None else data)

    # Browsers ---------------------------------------------------------------------------------------------------------

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def perform_authentication(self, request: Request) -> None:
        if request.method != "OPTIONS":  # a preflight carries no proof
            super().perform_authentication(request)

    def check_permissions(self, request: Request) -> None:
        if request.method != "OPTIONS":
            super().check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        self._tell_browser(request, response)
        return response

    def _tell_browser(self, request: Request, response: HttpResponseBase) -> None:
        """The CORS headers for an origin that the application allows; none for others."""
        patch_vary_headers(response, ["Origin"])
        origin = origins.origin_of(request)
        if not origin or not self._may_read(request, origin):
            return
        response["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Methods"] = ", ".join(self.allowed_methods)
            response["Access-Control-Allow-Headers"] = CORS_HEADERS
            response["Access-Control-Max-Age"] = PREFLIGHT_SECONDS

    def _may_read(self, request: Request, origin: str) -> bool:
        caller = getattr(request, "_user", None)
        if isinstance(caller, Caller):
            return origin in caller.registration.application.allowed_origins
        return origins.is_known(origin)

    # Errors -----------------------------------------------------------------------------------------------------------

    def handle_exception(self, exc: Exception) -> Response:
        """The outermost door: `{"error": {"code": status as an integer, "message"}}`, never a page or a traceback."""
        refused, status = refusal_of(exc)
        if refused is None:
            log.error("request failed", view=type(self).__name__, error=type(exc).__name__, exc_info=exc)
            status = 500
        response = envelope(status, sentence_of(refused))
        if isinstance(exc, exceptions.MethodNotAllowed):
            response["Allow"] = ", ".join(self.allowed_methods)
        if status in (429, 503):
            response["Retry-After"] = str(max(1, round((refused.retry_after if refused else None) or 2)))
        response.exception = True
        return response


class Nowhere(Door):
    """Every other address: not found, in the envelope."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


def read_as(serializer: type[Read], data: Any) -> dict[str, Any]:
    """What the serializer makes of the data. Raises DRF's ValidationError."""
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    found: dict[str, Any] = checked.validated_data
    return found


def envelope(status: int, message: str) -> Response:
    """An error as their clients read it. One compares the code with ===: it must be an integer."""
    return Response({"error": {"code": status, "message": message}}, status=status)


def sentence_of(refused: Refused | None) -> str:
    if refused is None:
        return "Something went wrong here"
    if refused.fields:
        return "; ".join(f"{name}: {why}" for name, why in refused.fields.items())
    if refused.message is refused.default:
        return SENTENCES.get(refused.code, str(refused.message))
    return str(refused.message)
