"""Messages: read, said, marked as read."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.post import Post, Posted
from chats.actions.read import mark_read
from chats.actions.steer import say_as_system
from chats.doors.storing import store_post
from chats.errors import Invalid, NotFound
from chats.models import Chat, Event
from contactcenter.prepared import Prepared

from .asked_messages import PostMessage, Read
from .callers import USER_OR_SERVER
from .door import Door
from .reach import SYSTEM, Reach, as_id, part_in
from .shapes import SAID, message_shapes, parse_message_id, readers_of
from .users import any_user


class Messages(Door):
    access = {"GET": USER_OR_SERVER, "POST": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        return Response({"messages": messages_of(self.reach.chat(row_id))})

    def post(self, request: Request, row_id: str) -> Response:
        return Response({"message": say(self.reach, row_id, self.read(PostMessage), self.now)})


class ReadMessage(Door):
    access = {"PUT": USER_OR_SERVER}

    def put(self, request: Request, row_id: str) -> Response:
        said = self.read(Read)
        return Response(read_message(self.reach, row_id, said.get("userId") or said.get("user")))


def messages_of(chat: Chat) -> list[dict[str, Any]]:
    """Everything that was said, oldest first, with who has read it."""
    readers = readers_of(chat)
    return [shape for event in _ALL_SAID.rows(chat.pk) for shape in message_shapes(event, chat, readers)]


_ALL_SAID = Prepared(
    lambda chat: Event.objects.filter(chat=chat).public().filter(type__in=SAID).select_related("sender")
)


def say(reach: Reach, chat_id: Any, said: dict[str, Any], now: datetime) -> dict[str, Any]:
    """`said`: of asked_messages.PostMessage. With a clientId a repeat gets the first answer. The message as it is stored.

    Raises NotFound, Forbidden, Invalid, TooLarge, TooMany, Closed, Conflict.
    """
    chat = reach.chat(chat_id)
    repeated = said.get("chatId")
    if repeated and as_id(repeated) != chat.pk:
        raise Invalid("chatId and the address name two chats")
    client_id = said.get("clientId") or uuid4().hex
    text = said.get("message") or ""
    if said.get("sender") == SYSTEM and reach.caller.is_server:
        return shapes_at(chat, say_as_system(reach.chats(), chat.pk, text, client_id=client_id, now=now))[0]
    sender = part_in(chat, reach.acting(said.get("sender")))
    posted = store_post(Post(chat.pk, sender.pk, client_id, text), now)
    # A repeat is the same text of the same sender, or is refused.
    event = Event(chat_id=chat.pk, index=posted.index, sender=sender, text=text, at=posted.at, data={})
    return message_shapes(event, chat)[0]


def shapes_at(chat: Chat, posted: Posted) -> list[dict[str, Any]]:
    """The messages of what was just stored."""
    event = _EVENT.first(chat.pk, posted.position)
    if event is None:
        raise NotFound
    return message_shapes(event, chat)


_EVENT = Prepared(lambda chat, position: Event.objects.filter(chat=chat, position=position).select_related("sender"))


def read_message(reach: Reach, message_id: Any, user_id: Any) -> dict[str, Any]:
    """A user has read up to this message: {user, message}. Raises NotFound, Forbidden, Invalid."""
    chat_id, index = parse_message_id(message_id) or (None, 0)
    chat = reach.chat(str(chat_id))
    event = chat.events.public().filter(index=index, type__in=SAID).select_related("sender").first()
    if event is None:
        raise NotFound
    user = reach.acting(user_id)
    mark_read(part_in(chat, user), index)
    shapes = {shape["id"]: shape for shape in message_shapes(event, chat, readers_of(chat))}
    if message_id not in shapes:
        raise NotFound
    return {"user": any_user(reach, user), "message": shapes[message_id]}
