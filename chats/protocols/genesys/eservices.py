"""What customers' pages ask over the other transport (eServices Web API Server 8.5: chats). Who has begun a chat proves it by a key, not by the chat's id."""

import secrets
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.foreign import begin_request, rename_requester
from chats.doors.origins import check_origin
from chats.doors.teams import find_team
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, ANONYMOUS_BY_KEY, address_of, count
from chats.errors import Closed, Forbidden, Refused
from chats.models import ForeignChat, ForeignLine
from contactcenter.models import Registration, hash_secret

from .callers import find_registration
from .cursors import MOST_LINES, asked_index
from .customer import CustomerDoor, OneChat, check_operation
from .door import OK, Missing, Nowhere, UnknownOperation
from .lines import CUSTOMER, TEXT, known_as
from .shapes import CAPABILITIES, chat_shape, message_shape
from .wishes import ENDPOINT, NICKNAME, SUBJECT, USER_DATA, checked, own_fields

AGAIN, FINAL = 1, 2  # its statusCodes beside 0: what may be tried again, and what may not
PASSING = {"too_many", "failed", "unavailable"}  # our refusals that are over in a while
ALIAS = "1"  # of the server that has the chat; there is one
# Facts that are kept with a chat: {userId, secureKey (its fingerprint), tenantName}, and the customer's name when it was changed.
PROOF, NEW_NICKNAME = "proof", "nickname"
# What a page may name beside userData, under the names that it would have there.
OWN_NAMES = {"firstName": "FirstName", "lastName": "LastName", "emailAddress": "EmailAddress"}
TENANTS = ("tenantName", "tenantId")
TYPES = {CUSTOMER: "Client"}
KINDS = {TEXT: "Message"}


class TransportDoor(CustomerDoor):
    """Its own statusCodes, its own form of ids: a chat of the one transport is not there for the other."""

    def code_of(self, error: Exception, refused: Refused | None) -> int:
        return AGAIN if refused is None or refused.code in PASSING else FINAL

    @staticmethod
    def plain_id(value: str) -> str:
        return value if len(value) == 24 and value.isascii() and value.isalnum() else "?"

    def find_chat(self, chat_id: str) -> ForeignChat:
        """Who does or reads something in it proves to be its customer. Raises Forbidden beside what it raises anyway."""
        foreign = super().find_chat(chat_id)
        if self.request.method == "POST" and not is_proven(foreign, self.body()):
            count(ANONYMOUS_BY_ADDRESS, address_of(self.request))  # guesses
            raise Forbidden("userId, secureKey, alias and tenantName must be those that the chat was given.")
        return foreign


class TransportChats(TransportDoor):
    """POST: a new chat, without an operationName."""

    def post(self, request: Request) -> Response:
        count(ANONYMOUS_BY_ADDRESS, address_of(request))
        body = self.body()
        if body.get("operationName") not in (None, "", "RequestChat"):
            raise UnknownOperation
        tenant = tenant_in(body)
        registration = find_registration(request, tenant)
        self.known_origins = registration.application.allowed_origins
        check_origin(request, self.known_origins)
        count(ANONYMOUS_BY_KEY, str(registration.pk))
        chat_id, key = secrets.token_hex(12), secrets.token_hex(32)
        proof = {"userId": secrets.token_hex(8), "tenantName": tenant or registration.center.slug}
        wish = read_wish(body, registration)
        wish["facts"][PROOF] = proof | {"secureKey": hash_secret(key)}
        begin_request(registration, external_id=chat_id, now=self.now, **wish)
        foreign = ForeignChat.objects.get(registration=registration, external_id=chat_id)
        return Response(
            {"chatId": chat_id, "path": f"/eservices/api/v2/chats/{chat_id}", "secureKey": key, "alias": ALIAS}
            | proof
            | {"messages": shown(foreign, 1), **OK}
        )


class TransportChat(TransportDoor):
    """POST: one operation in the chat. GET, which shows no key, tells its state and nobody's name."""

    def get(self, request: Request, chat_id: str) -> Response:
        foreign = self.find_chat(chat_id)
        check_origin(request, foreign.registration.application.allowed_origins)
        state = {name: value for name, value in chat_shape(foreign).items() if name != "participants"}
        if state["capabilities"]:
            state["capabilities"] = [*CAPABILITIES[:-1], "UpdateUserNickname", CAPABILITIES[-1]]
        return Response({"chatId": chat_id, "chat": state, **OK})

    def post(self, request: Request, chat_id: str) -> Response:
        body = self.body()
        operation = check_operation(body, self.OPERATIONS)
        foreign = self.own_chat(chat_id)
        if not foreign.chat.is_open:
            raise Closed("This chat has ended.")
        self.OPERATIONS[operation](self, foreign, body)
        if operation == "Complete":
            return self.ok()
        proof = foreign.facts[PROOF]
        known = {"alias": ALIAS, "userId": proof["userId"], "tenantName": proof["tenantName"]}
        return self.ok(secureKey=body["secureKey"], **known)

    def _rename(self, foreign: ForeignChat, body: dict[str, Any]) -> None:
        nickname = checked(body, "nickname", NICKNAME).strip()
        if not nickname:
            raise Missing("nickname is required.")
        rename_requester(foreign, nickname, facts={NEW_NICKNAME: nickname}, now=self.now)

    OPERATIONS: ClassVar[dict[str, Callable[..., None]]] = OneChat.OPERATIONS | {"UpdateUserNickname": _rename}


class TransportMessages(TransportDoor):
    """POST: the lines from transcriptPosition on (1, the first, where none is named), and whether more can come."""

    def post(self, request: Request, chat_id: str) -> Response:
        body = self.body()
        foreign = self.own_chat(chat_id)
        index = asked_index(body.get("transcriptPosition"))
        messages = shown(foreign, 1 if index is None else index)
        # An answer holds so many; who is told that the chat has ended asks no more.
        has_ended = not foreign.chat.is_open and len(messages) < MOST_LINES
        return self.ok(messages=messages, chatEnded=has_ended)


class TransportNowhere(TransportDoor, Nowhere):
    """Every other address."""


def read_wish(body: dict[str, Any], registration: Registration) -> dict[str, Any]:
    """What begin_request takes. A nickname may be missing where a first or last name is there; a subject always may."""
    user_data = checked(body, "userData", USER_DATA, default={})
    named = {ours: checked(body, theirs, NICKNAME).strip() for theirs, ours in OWN_NAMES.items()}
    user_data = user_data | {name: value for name, value in named.items() if value}
    fields = own_fields(user_data)
    nickname = checked(body, "nickname", NICKNAME).strip() or fields.get("name", "")
    if not nickname:
        raise Missing("nickname is required.")
    return {
        "fields": {"name": nickname} | fields,
        "team": find_team(registration, checked(body, "endpoint", ENDPOINT)),
        "subject": checked(body, "subject", SUBJECT).strip(),
        "data": user_data,
        "facts": known_as(nickname),
    }


def tenant_in(body: dict[str, Any]) -> str:
    """Under either of its names; empty for none. Raises Invalid for what is no name."""
    return next((found for name in TENANTS if (found := checked(body, name, NICKNAME).strip())), "")


def is_proven(foreign: ForeignChat, body: dict[str, Any]) -> bool:
    """Whether the body shows what the chat's begin was answered with. The tenant may be left out, the rest may not."""
    known = foreign.facts[PROOF]
    key = body.get("secureKey")
    pairs = [
        (known["userId"], str(body.get("userId"))),
        (ALIAS, str(body.get("alias"))),
        (known["tenantName"], tenant_in(body) or known["tenantName"]),
        (known["secureKey"], hash_secret(key) if isinstance(key, str) else ""),
    ]
    # All of them are compared, so that the time tells nothing about which was wrong.
    matches = [compare_digest(ours.encode(), theirs.encode()) for ours, theirs in pairs]
    return all(matches)


def shown(foreign: ForeignChat, position: int) -> list[dict[str, Any]]:
    """The lines from a position on, for a position below the first one none; nobody's cursor moves."""
    if not 1 <= position <= foreign.head:
        return []
    lines = ForeignLine.objects.filter(foreign_chat=foreign, number__gte=position).order_by("number")[:MOST_LINES]
    return [_line_shape(line, foreign.facts.get(NEW_NICKNAME, "")) for line in lines]


def _line_shape(line: ForeignLine, renamed: str) -> dict[str, Any]:
    """{from: {nickname, participantId, type}, index, type, text?, utcTime}: the number as one, the time in milliseconds."""
    shape = message_shape(line)
    sender = shape["from"]
    nickname = renamed if renamed and sender["type"] == CUSTOMER else sender["nickname"]
    return shape | {
        "from": {
            "nickname": nickname,
            "participantId": int(sender["participantId"]),
            "type": TYPES.get(sender["type"], sender["type"]),
        },
        "type": KINDS.get(line.type, line.type),
        "utcTime": int(line.at.timestamp() * 1000),
    }
