"""The base of every view: what was sent as an object, `statusCode` in every answer, errors, browsers of allowed origins."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

import structlog
from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from chats.doors.foreign import ForeignDoor
from chats.doors.parsers import StrictJSONParser
from chats.errors import Forbidden, Invalid, NotFound, Refused
from chats.models import ForeignChat, Participant
from contactcenter.prepared import Prepared

from .callers import UNKNOWN, find_seat, live_registrations, names_of

log = structlog.get_logger(__name__)

CORS_HEADERS = "apikey, ContactCenterId, Content-Type, Authorization, X-Requested-With, Accept"
OK = {"statusCode": 0}
MISSING, STATE, FORBIDDEN, INTERNAL, NOT_FOUND, INVALID, UNPROVEN = 1, 2, 3, 4, 6, 10, 20
# Our refusals → their status codes (HTCC API reference, Status codes); INVALID is what is not here.
CODES = {
    "unauthorized": UNPROVEN,
    "forbidden": FORBIDDEN,
    "blocked": FORBIDDEN,
    "too_many": FORBIDDEN,
    "not_found": NOT_FOUND,
    "gone": STATE,
    "closed": STATE,
    "conflict": STATE,
    "full": STATE,
    "outside_hours": STATE,
    "failed": INTERNAL,
    "unavailable": INTERNAL,
}
# What does not fit the present state is a bad request there.
STATUSES = {409: 400}


class Missing(Refused):
    """A parameter that must be there is not."""

    code = "invalid"


class UnknownOperation(exceptions.APIException):
    """The operation is none of this resource (the public emulator answers 405, too)."""

    status_code = 405
    default_detail = "There is no such operation here."


class AnyParser(StrictJSONParser):
    """JSON whatever the content type says: nobody ever looked at it."""

    media_type = "*/*"


class PrettyRenderer(JSONRenderer):
    """Indented by two, as the public emulator writes."""

    charset = "utf-8"

    def get_indent(self, accepted_media_type: Any, renderer_context: Any) -> int:
        return 2


class Door(ForeignDoor):
    """Each view proves its caller itself: customers and agents knock at the same addresses."""

    codes: ClassVar[Mapping[str, int]] = CODES
    cors_headers = CORS_HEADERS
    takes_cookies = True
    parser_classes = (AnyParser,)
    renderer_classes = (PrettyRenderer,)

    def body(self) -> dict[str, Any]:
        """The body's members. Raises Missing for none, Invalid for what is no object."""
        found = self.request.data
        if found is None or found == {}:
            raise Missing("The body is empty.")
        if not isinstance(found, dict):
            raise Invalid("The body must be a JSON object.")
        return found

    def ok(self, **members: Any) -> Response:
        return Response(members | OK)

    # Chats ------------------------------------------------------------------------------------------------------------

    def find_chat(self, chat_id: str) -> ForeignChat:
        """The chat that its customer knows by this id, with the chat itself and the customer. Raises NotFound, and Forbidden for headers that fit nobody."""
        names = names_of(self.request)
        customer = _CUSTOMERS[tuple(names)].first(self.plain_id(chat_id), *names.values())
        if customer is None:
            if names and not live_registrations().filter(**names).exists():
                raise Forbidden(UNKNOWN)
            raise NotFound("There is no such chat.")
        customer.chat.customer_part = customer
        foreign: ForeignChat = customer.chat.foreign
        self.known_origins = foreign.registration.application.allowed_origins
        return foreign

    @staticmethod
    def plain_id(value: str) -> str:
        """An id as this door gives it out; anything else can only be unknown."""
        try:
            return str(UUID(value)) if len(value) == 36 else "?"
        except ValueError:
            return "?"

    # Refusals ---------------------------------------------------------------------------------------------------------

    known_origins: list[str] | None = None  # of the application that the request is about

    def allowed_origins(self) -> list[str] | None:
        return self.known_origins

    def refuse(self, error: Exception, refused: Refused | None, status: int) -> Response:
        """{statusCode, statusMessage} and nothing else; an error means that nothing was changed."""
        said = {"statusCode": self.code_of(error, refused), "statusMessage": _sentence(refused)}
        return Response(said, status=STATUSES.get(status, status))

    def code_of(self, error: Exception, refused: Refused | None) -> int:
        """The statusCode of an error; `refused`: what our rules make of it, None for a fault of our own."""
        if isinstance(error, Missing):
            return MISSING
        return self.codes.get(refused.code, INVALID) if refused else INTERNAL


def _customers(external_id: Any, names: dict[str, Any]) -> "QuerySet[Participant]":
    """Customers with their chats: one look-up for all that a poll wants to know."""
    registrations = live_registrations().filter(**names).order_by()
    customers = Participant.objects.filter(
        kind=Participant.Kind.CUSTOMER,
        chat__foreign__external_id=external_id,
        chat__foreign__registration__in=registrations.values("pk"),
    )
    return customers.select_related("chat__foreign__registration__application").order_by("pk")[:1]


def by_names(prepare: Callable[[Callable[..., Any]], Any]) -> dict[tuple[str, ...], Any]:
    """`prepare` of each look-up of a chat's customer, by what the request's headers name."""
    return {
        (): prepare(lambda chat: _customers(chat, {})),
        ("foreign_id",): prepare(lambda chat, center: _customers(chat, {"foreign_id": center})),
        ("public_key",): prepare(lambda chat, key: _customers(chat, {"public_key": key})),
        ("foreign_id", "public_key"): prepare(
            lambda chat, center, key: _customers(chat, {"foreign_id": center, "public_key": key})
        ),
    }


_CUSTOMERS: dict[tuple[str, ...], Prepared[Participant]] = by_names(Prepared)


class Nowhere(Door):
    """Every other address."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            raise NotFound


class NowhereSecure(Nowhere):
    """Every other address that only agents may knock at."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method != "OPTIONS":
            find_seat(request)
        super().initial(request, *args, **kwargs)


def voice_of(door: type[Door]) -> Callable[[int, str, str], dict[str, Any]]:
    """How the edge, which refuses before any view is asked, speaks below this door's addresses."""

    def say(_status: int, code: str, sentence: str) -> dict[str, Any]:
        refused = Refused(sentence)
        refused.code = code
        return {"statusCode": door().code_of(refused, refused), "statusMessage": sentence}

    return say


def _sentence(refused: Refused | None) -> str:
    if refused is None:
        return "Something went wrong here. Try again."
    if refused.fields:
        return "; ".join(f"{name}: {why}" for name, why in refused.fields.items())
    return str(refused.message)
