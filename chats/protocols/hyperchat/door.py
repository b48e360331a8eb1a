"""The base of every view below /v1: what proof a route wants, reading bodies as their clients send them, errors in their envelope."""

from collections.abc import Sequence
from typing import Any, ClassVar

import structlog
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from chats.doors.foreign import ForeignDoor
from chats.doors.parsers import StrictJSONParser, check_value
from chats.doors.reading import read
from chats.errors import Forbidden, Invalid, NotFound, Refused

from .callers import Caller, HyperchatAuthentication, Proof
from .reach import Reach

log = structlog.get_logger(__name__)

CORS_HEADERS = "content-type, x-hyper-appid, x-hyper-secret, x-hyper-key, x-hyper-token, x-inbenta-hyperchat-client-lib"
# In the words that their clients compare; everything else is said as our rules say it.
SENTENCES = {"not_found": "Not found", "unauthorized": "Unauthorized", "forbidden": "Forbidden"}


class AnyParser(StrictJSONParser):
    """JSON whatever the content type says, or where it says nothing."""

    media_type = "*/*"


class HasProof(BasePermission):
    """The route's `access` names the proof that the caller has shown."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = view.access.get("GET" if request.method == "HEAD" else request.method)
        caller: Any = request.user
        if wanted is not None and caller.proof not in wanted:
            raise Forbidden("Not allowed with these credentials")
        return True


class Door(ForeignDoor):
    """`access` says by method what proof is wanted (chats.protocols.hyperchat.callers.PUBLIC, SERVER, USER_OR_SERVER)."""

    access: ClassVar[dict[str, frozenset[Proof]]] = {}
    authentication_classes: Sequence[type[BaseAuthentication]] = (HyperchatAuthentication,)
    permission_classes: tuple[type[BasePermission], ...] = (HasProof,)
    parser_classes = (StrictJSONParser, FormParser, MultiPartParser, AnyParser)
    cors_headers = CORS_HEADERS
    cache_control = ""  # files may be kept

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

    def read(self, serializer: type[BaseSerializer[Any]], data: Any = None) -> dict[str, Any]:
        """What the serializer makes of the body (or of `data`). Raises DRF's ValidationError."""
        return read(serializer, self.body() if data is None else data)

    # Browsers ---------------------------------------------------------------------------------------------------------

    def perform_authentication(self, request: Request) -> None:
        if request.method != "OPTIONS":  # a preflight carries no proof
            super().perform_authentication(request)

    def check_permissions(self, request: Request) -> None:
        if request.method != "OPTIONS":
            super().check_permissions(request)

    def allowed_origins(self) -> list[str] | None:
        caller = getattr(self.request, "_user", None)
        return caller.registration.application.allowed_origins if isinstance(caller, Caller) else None

    def refuse(self, error: Exception, refused: Refused | None, status: int) -> Response:
        """`{"error": {"code": status as an integer, "message"}}`."""
        return envelope(status if refused else 500, sentence_of(refused))


class Nowhere(Door):
    """Every other address: not found, in the envelope."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


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
