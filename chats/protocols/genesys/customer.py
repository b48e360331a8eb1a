"""What customers' pages ask (customer chat API: RequestChat, SendMessage, typing, Complete, GetChat, GetMessages)."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.close import close_by_customer
from chats.actions.foreign import begin_request
from chats.actions.post import Post
from chats.actions.read import renew_leases
from chats.actions.show import show_typing
from chats.actions.start import CUSTOMER_LEASE, default_team
from chats.doors.bookkeeping import unless_away
from chats.doors.origins import check_origin
from chats.doors.storing import store_post
from chats.doors.throttles import count_anonymous
from chats.errors import Closed, Invalid
from chats.models import ForeignChat, Participant
from chats.sockets import fields
from contactcenter import longpoll
from contactcenter.models import Registration, Team

from .callers import check_anonymous, find_registration
from .cursors import asked_index, give_lines
from .door import Door, Missing, UnknownOperation
from .shapes import chat_shape, message_shape

NICKNAME, SUBJECT, ENDPOINT = fields.text(100), fields.text(200), fields.text(100)
USER_DATA = fields.plain(16_384)
# What pages name in userData, and which of the customer's own fields it fills.
EMAIL_KEYS = ("EmailAddress", "emailAddress", "email")
PHONE_KEYS = ("PhoneNumber", "phoneNumber", "phone")


class CustomerDoor(Door):
    """Nobody signs in here; who knows a chat's id is its customer."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            check_anonymous(request)
            count_anonymous(request, "genesys")

    def own_chat(self, chat_id: str) -> ForeignChat:
        foreign = self.find_chat(chat_id)
        check_origin(self.request, foreign.registration.application.allowed_origins)
        return foreign


class Chats(CustomerDoor):
    """POST: RequestChat."""

    def post(self, request: Request) -> Response:
        body = self.body()
        check_operation(body, {"RequestChat"})
        registration = find_registration(request)
        self.allowed_origins = registration.application.allowed_origins
        check_origin(request, self.allowed_origins)
        wish = read_request(body, registration)
        started = begin_request(registration, external_id=str(uuid4()), now=self.now, **wish)
        chat_id = started.chat.foreign.external_id
        return self.ok(id=chat_id, path=f"/api/v2/chats/{chat_id}")


class OneChat(CustomerDoor):
    """GET: the chat. POST: one operation in it."""

    def get(self, request: Request, chat_id: str) -> Response:
        foreign = self.own_chat(chat_id)
        give_sign_of_life(foreign, self.now)
        return self.ok(chat=chat_shape(foreign))

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
        show_typing(customer_in(foreign), active=active, text=str(body.get("text") or "")[:500])

    def _complete(self, foreign: ForeignChat, body: dict[str, Any]) -> None:
        close_by_customer(customer_in(foreign), now=self.now)

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
        if not longpoll.is_repeat(request):
            give_sign_of_life(foreign, self.now)
        lines = give_lines(foreign, asked_index(request.query_params.get("index")))
        response = self.ok(messages=[message_shape(line) for line in lines])
        seconds = asked_seconds(request.query_params.get("wait"))
        if seconds and not lines and foreign.chat.is_open:
            return longpoll.long_poll(response, [f"customer:{foreign.chat_id}"], seconds)
        return response


def read_request(body: dict[str, Any], registration: Registration) -> dict[str, Any]:
    """What begin_request takes, out of RequestChat's parameters. Raises Missing for nickname and subject, Invalid for what cannot be kept."""
    nickname = checked(body, "nickname", NICKNAME).strip()
    subject = checked(body, "subject", SUBJECT).strip()
    for name, value in (("nickname", nickname), ("subject", subject)):
        if not value:
            raise Missing(f"{name} is required.")
    user_data = checked(body, "userData", USER_DATA, default={})
    return {
        "fields": {"name": nickname} | own_fields(user_data),
        "team": find_team(registration, checked(body, "endpoint", ENDPOINT)),
        "subject": subject,
        "data": user_data,
    }


def own_fields(user_data: dict[str, Any]) -> dict[str, str]:
    """The customer's address and number where userData has them; what is no address stays custom data alone."""
    found: dict[str, str] = {}
    email = _first(user_data, EMAIL_KEYS)
    try:
        validate_email(email)
        found["email"] = email[:254]
    except ValidationError:
        pass
    phone = _first(user_data, PHONE_KEYS)
    return found | ({"phone": phone} if phone and len(phone) <= 32 else {})


def find_team(registration: Registration, endpoint: str) -> Team | None:
    """The team of an endpoint: by its name here, else by key or name; None (the default team) for what nobody knows."""
    room = registration.rooms.filter(foreign_id=endpoint, team__is_active=True).select_related("team").first()
    if room:
        return room.team
    teams = Team.objects.filter(center_id=registration.center_id, is_active=True)
    named = teams.filter(key=endpoint).first() or teams.filter(name__iexact=endpoint).first() if endpoint else None
    return named or default_team(registration.channel)


def say(foreign: ForeignChat, body: dict[str, Any], *, now: Any) -> None:
    """A message of the customer. There is no id by which a repeat could be known: each request says something new."""
    text = body.get("text")
    if text is None or text == "":
        raise Missing("text is required.")
    if not isinstance(text, str):
        raise Invalid("text must be a string.")
    sender = customer_in(foreign)
    store_post(Post(foreign.chat_id, sender.pk, str(uuid4()), text), now)


def customer_in(foreign: ForeignChat) -> Participant:
    return foreign.chat.participants.get(kind=Participant.Kind.CUSTOMER)


def give_sign_of_life(foreign: ForeignChat, now: Any) -> None:
    """Who polls is there; who stops is reminded and then leaves, as the team says."""
    if foreign.chat.is_open:
        participants = foreign.chat.participants.filter(kind=Participant.Kind.CUSTOMER)
        ids = list(participants.values_list("pk", flat=True))
        unless_away(partial(renew_leases, ids, until=now + CUSTOMER_LEASE))


def check_operation(body: dict[str, Any], known: Any) -> str:
    """The operation's name. Raises Missing, and UnknownOperation for one that is not there (names are case-sensitive)."""
    name = body.get("operationName")
    if name in (None, ""):
        raise Missing("operationName is required.")
    if not isinstance(name, str) or name not in known:
        raise UnknownOperation
    return name


def checked(body: dict[str, Any], name: str, check: Callable[[Any], Any], default: Any = "") -> Any:
    """A parameter within its limits. Raises Invalid."""
    if body.get(name) is None:
        return default
    try:
        return check(body[name])
    except fields.Wrong as wrong:
        raise Invalid(fields={name: wrong.args[0]}) from None


def asked_seconds(value: Any) -> float:
    """How long an answer may be held back; 0 for what is no number of seconds."""
    try:
        seconds = float(value or 0)
    except ValueError:
        return 0
    return min(seconds, longpoll.LONGEST) if math.isfinite(seconds) and seconds > 0 else 0


def _first(values: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((value.strip() for name in names if isinstance(value := values.get(name), str) and value.strip()), "")
