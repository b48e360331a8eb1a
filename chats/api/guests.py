"""Colleagues asked into a chat, which stays with its owner."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.guests import decline_guest, invite_guest, join_as_guest, leave_as_guest

from . import asked, shown
from .door import Door, read
from .principals import AgentCaller
from .render import fresh_chat
from .schema import described
from .scope import find_agent, find_chat


class Invite(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Ask a colleague to join the chat as a guest (its agent, supervisors)", asks=asked.Assign)
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.Assign, request.data)
        find_chat(self.caller, chat_id)
        invite_guest(self.caller.agent, chat_id, find_agent(self.caller, body["agent"]), now=self.now)
        return Response(status=204)


class Join(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Come into a chat to which one is invited", gives=shown.ChatAnswer)
    def post(self, request: Request, chat_id: UUID) -> Response:
        find_chat(self.caller, chat_id)
        join_as_guest(self.caller.agent, chat_id, now=self.now)
        return Response({"chat": fresh_chat(self.caller, chat_id, self.now)})


class Refuse(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Do not come into a chat to which one is invited")
    def post(self, request: Request, chat_id: UUID) -> Response:
        find_chat(self.caller, chat_id)
        decline_guest(self.caller.agent, chat_id, now=self.now)
        return Response(status=204)


class Leave(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Leave a chat as its guest")
    def post(self, request: Request, chat_id: UUID) -> Response:
        find_chat(self.caller, chat_id)
        leave_as_guest(self.caller.agent, chat_id, now=self.now)
        return Response(status=204)
