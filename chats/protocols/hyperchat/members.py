"""Who is in a chat: read, come in, go out."""

from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.actions.close import close_by_customer
from chats.actions.guests import leave_as_guest
from chats.actions.hold import pick_chat
from chats.actions.offer import accept_invitation
from chats.actions.transfer import leave_chat
from chats.models import Chat, ForeignCustomer

from .asked_chats import Named
from .callers import USER_OR_SERVER
from .door import Door
from .reach import Reach, part_in
from .users import any_user


class ChatUsers(Door):
    access = {"GET": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        return Response({"users": users_of(self.reach, self.reach.chat(row_id))})


class Join(Door):
    access = {"POST": USER_OR_SERVER}

    def post(self, request: Request, row_id: str) -> Response:
        join_chat(self.reach, row_id, self.read(Named).get("userId"), self.now)
        return Response({"success": True})


class Leave(Door):
    access = {"PUT": USER_OR_SERVER}

    def put(self, request: Request, row_id: str) -> Response:
        go_out(self.reach, row_id, self.read(Named).get("userId"), self.now)
        return Response({"success": True})


def users_of(reach: Reach, chat: Chat) -> list[dict[str, Any]]:
    """The creator, then the agents: those in the chat now; of an ended one, all who ever were."""
    parts = chat.participants.filter(agent__isnull=False, joined_at__isnull=False).select_related("agent")
    if chat.is_open:
        parts = parts.filter(left_at=None)
    known = ForeignCustomer.objects.filter(registration=reach.registration, customer=chat.customer_id)
    users = [*known.select_related("customer"), *(part.agent for part in parts.order_by("joined_at", "id"))]
    return [any_user(reach, user) for user in users]


def join_chat(reach: Reach, chat_id: Any, user_id: Any, now: datetime) -> None:
    """An agent accepts the chat that is on offer, or takes one that waits; its customer is in it anyway.

    Raises NotFound, Forbidden, Closed, Gone (somebody else has it), Full.
    """
    chat = reach.chat(chat_id)
    user = reach.acting(user_id)
    if not isinstance(user, Agent):
        part_in(chat, user)
        return
    offer = chat.invitations.pending().filter(agent=user, expires_at__gt=now).first()
    if offer is not None:
        accept_invitation(user, offer.pk, now=now)
    else:
        pick_chat(user, chat.pk, now=now)


def go_out(reach: Reach, chat_id: Any, user_id: Any, now: datetime) -> None:
    """An agent gives the chat back, and it waits for another; a guest just goes; with its customer's leaving it ends. Raises NotFound, Forbidden."""
    chat = reach.chat(chat_id)
    user = reach.acting(user_id)
    part = part_in(chat, user)
    if not isinstance(user, Agent):
        close_by_customer(part, now=now)
    elif part.is_guest:
        leave_as_guest(user, chat.pk, now=now)
    elif chat.is_open and (part.left_at is None or chat.agent_id == user.pk):
        leave_chat(user, chat.pk, now=now)
