"""What customers' pages ask (customer chat API: RequestChat, SendMessage, typing, Complete, GetChat, GetMessages)."""

import math
from collections.abc import Callable, Container
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.close import close_by_customer
from chats.actions.foreign import begin_request
from chats.actions.post import Post
from chats.actions.show import show_typing
from chats.doors.life import give_sign_of_life
from chats.doors.origins import check_origin
from chats.doors.storing import store_post
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, ANONYMOUS_BY_KEY, Rate, address_of, count
from chats.errors import Closed, Invalid, NotFound
from chats.models import ForeignChat
from contactcenter import longpoll

from .callers import check_anonymous, find_registration
from .cursors import asked_index, give_lines
from .door import OK, Door, Missing, UnknownOperation
from .shapes import chat_shape, message_shape
from .wishes import TYPED, checked, read_request

REQUESTS_BY_CHAT = Rate("genesys", 1200)  # many customers may share an address, so whoever has a chat is counted by it


class CustomerDoor(Door):
    """Nobody signs in here; who knows a chat's id is its customer."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            check_anonymous(request)

    def own_chat(self, chat_id: str) -> ForeignChat:
        """The chat, and a sign of life of its customer. Raises NotFound, Forbidden, TooMany."""
        try:
            foreign = self.find_chat(chat_id)
        except NotFound:
            count(ANONYMOUS_BY_ADDRESS, address_of(self.request))  # guesses
            raise
        check_origin(self.request, foreign.registration.application.allowed_origins)
        if not longpoll.is_repeat(self.request):
            count(REQUESTS_BY_CHAT, str(foreign.chat_id))
            if foreign.chat.is_open:
                give_sign_of_life(foreign.chat.customer_part, self.now)
        return foreign


class Chats(CustomerDoor):
    """POST: RequestChat."""

    def post(self, request: Request) -> Response:
        count(ANONYMOUS_BY_ADDRESS, address_of(request))
        body = self.body()
        check_operation(body, {"RequestChat"})
        registration = find_registration(request)
        self.known_origins = registration.application.allowed_origins
        check_origin(request, self.known_origins)
        count(ANONYMOUS_BY_KEY, str(registration.pk))
        chat_id = str(uuid4())
        begin_request(registration, external_id=chat_id, now=self.now, **read_request(body, registration))
        return Response({"id": chat_id, **OK, "path": f"/api/v2/chats/{chat_id}"})


class OneChat(CustomerDoor):
    """GET: the chat. POST: one operation in it."""

    def get(self, request: Request, chat_id: str) -> Response:
        return self.ok(chat=chat_shape(self.own_chat(chat_id)))

    def post(self, request: Request, chat_id: str) -> Response:
        body = self.body()
        operation = check_operation(body, self.OPERATIONS)
        foreign = self.own_chat(chat_id)
        if not foreign.chat.is_open:
            raise Closed("This chat has ended.")
        self.OPERATIONS[operation](self, foreign, body)
        return self.ok()

    def _send(self, foreign: ForeignChat, body: dict[str, Any]) -> None:
        say(foreign, body, now=self.now)

    def _type(self, foreign: ForeignChat, body: dict[str, Any], *, active: bool) -> None:
        show_typing(foreign.chat.customer_part, active=active, text=checked(body, "text", TYPED))

    def _complete(self, foreign: ForeignChat, body: dict[str, Any]) -> None:
        close_by_customer(foreign.chat.customer_part, now=self.now)

    OPERATIONS: ClassVar[dict[str, Callable[..., None]]] = {
        "SendMessage": _send,
        "SendStartTypingNotification": partial(_type, active=True),
        "SendStopTypingNotification": partial(_type, active=False),
        "Complete": _complete,
    }


class Messages(CustomerDoor):
    """GET: lines from ?index on, or those not yet received; ?wait=seconds holds an empty answer back until there is something."""

    def get(self, request: Request, chat_id: str) -> Response:
        foreign = self.own_chat(chat_id)
        lines = give_lines(foreign, asked_index(request.query_params.get("index")))
        response = self.ok(messages=[message_shape(line) for line in lines])
        seconds = asked_seconds(request.query_params.get("wait"))
        if seconds and not lines and foreign.chat.is_open:
            return longpoll.long_poll(response, [f"customer:{foreign.chat_id}"], seconds)
        return response

    def head(self, request: Request, chat_id: str) -> Response:
        """Nothing is given, so the cursor stays."""
        self.own_chat(chat_id)
        return self.ok(messages=[])


def say(foreign: ForeignChat, body: dict[str, Any], *, now: datetime) -> None:
    """A message of the customer. There is no id by which a repeat could be known: each request says something new."""
    text = body.get("text")
    if text is None or text == "":
        raise Missing("text is required.")
    if not isinstance(text, str):
        raise Invalid(fields={"text": "This must be a text."})
    store_post(Post(foreign.chat_id, foreign.chat.customer_part.pk, str(uuid4()), text), now)


def check_operation(body: dict[str, Any], known: Container[str]) -> str:
    """The operation's name. Raises Missing, and UnknownOperation for one that is not there (names are case-sensitive)."""
    name = body.get("operationName")
    if name in (None, ""):
        raise Missing("operationName is required.")
    if not isinstance(name, str) or name not in known:
        raise UnknownOperation
    return name


def asked_seconds(value: Any) -> float:
    """How long an answer may be held back; 0 for what is no number of seconds."""
    try:
        seconds = float(value or 0)
    except ValueError:
        return 0
    return min(seconds, longpoll.LONGEST) if math.isfinite(seconds) and seconds > 0 else 0
