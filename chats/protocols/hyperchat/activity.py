"""That somebody writes: told to the other side, kept by nobody."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.actions.show import show_typing
from chats.errors import Forbidden

from .asked_messages import Activity
from .callers import USER_OR_SERVER
from .door import Door
from .reach import Reach, part_in


class UserActivity(Door):
    access = {"POST": USER_OR_SERVER}

    def post(self, request: Request, row_id: str) -> Response:
        show_activity(self.reach, row_id, self.read(Activity))
        return Response({"success": True})


def show_activity(reach: Reach, user_id: Any, said: dict[str, Any]) -> None:
    """`said`: of asked_messages.Activity. In a chat that has ended nobody hears it. Raises NotFound, Forbidden."""
    chat = reach.chat(said["chatId"])
    user = reach.acting(user_id)
    part = part_in(chat, user)
    if isinstance(user, Agent) and chat.is_open and chat.agent_id != user.pk:
        raise Forbidden("This agent does not have the chat")
    if chat.is_open:
        show_typing(part, active=said["type"] == "writing")
