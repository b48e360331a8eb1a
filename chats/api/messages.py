"""Saying something in a chat: messages, notes, typing, read marks."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.locking import seat_in_chat
from chats.actions.post import Post, Posted
from chats.actions.read import mark_read
from chats.actions.show import show_typing
from chats.actions.steer import say_as_system
from chats.doors.storing import store_post
from chats.errors import Forbidden, Invalid
from chats.models import Chat, Participant
from chats.shapes import stamp

from . import asked, shown
from .chats import EVERYBODY
from .door import Door, read
from .principals import AgentCaller, ApplicationCaller, CustomerCaller
from .schema import described
from .scope import find_chat, visible_chats


class Messages(Door):
    callers = {"POST": EVERYBODY}
    open_to_pages = True

    @described(
        "Post a message, or a private note", asks=asked.PostMessage, gives={200: shown.Posted, 201: shown.Posted}
    )
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.PostMessage, request.data)
        chat = find_chat(self.caller, chat_id)
        if isinstance(self.caller, ApplicationCaller) and body.get("as", "system") == "system":
            if body.get("attachments") or body.get("note"):
                raise Invalid(fields={"as": _("The system says texts alone.")})
            chats = visible_chats(self.caller)
            posted = say_as_system(chats, chat.pk, body.get("text", ""), client_id=body["client_id"], now=self.now)
        else:
            sender = _sender(self.caller, chat, is_note=body.get("note", False))
            posted = store_post(_post(body, chat, sender), self.now)
        return Response(_posted(self.caller, posted), status=200 if posted.replayed else 201)


class Typing(Door):
    callers = {"POST": (CustomerCaller, AgentCaller)}
    open_to_pages = True

    @described("Somebody types; nothing is stored", asks=asked.Typing)
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.Typing, request.data)
        chat = find_chat(self.caller, chat_id)
        if chat.is_open:
            participant = _sender(self.caller, chat, is_note=False)
            show_typing(participant, active=body["active"], text=body.get("text", ""))
        return Response(status=204)


class ReadUpTo(Door):
    callers = {"POST": (CustomerCaller, AgentCaller)}
    open_to_pages = True

    @described("Read up to this index", asks=asked.ReadUpTo)
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.ReadUpTo, request.data)
        chat = find_chat(self.caller, chat_id)
        mark_read(_sender(self.caller, chat, is_note=False), body["index"])
        return Response(status=204)


def _sender(caller: Any, chat: Chat, *, is_note: bool) -> Participant:
    """In whose name the caller speaks. Raises Forbidden for an agent who has no part in the chat; notes may be left without one."""
    if isinstance(caller, AgentCaller):
        part = chat.part_of(caller.agent.pk)
        if part is None and not is_note:
            raise Forbidden(_("Take the chat before you answer in it."))
        return part or seat_in_chat(chat, caller.agent)
    return chat.customer_part


def _post(body: dict[str, Any], chat: Chat, sender: Participant) -> Post:
    return Post(
        chat_id=chat.pk,
        sender_id=sender.pk,
        client_id=body["client_id"],
        text=body.get("text", ""),
        attachment_ids=tuple(body.get("attachments", ())),
        is_note=body.get("note", False),
    )


def _posted(caller: Any, posted: Posted) -> dict[str, Any]:
    answer = posted_to_customer(posted)
    return answer if isinstance(caller, CustomerCaller) else answer | {"position": posted.position}


def posted_to_customer(posted: Posted) -> dict[str, Any]:
    return {
        "client_id": posted.client_id,
        "index": posted.index,
        "at": stamp(posted.at),
        "replayed": posted.replayed,
    }
