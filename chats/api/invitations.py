"""Offers of chats to the caller's own seat."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from agents.presence import sign_in
from chats.actions.offer import accept_invitation, decline_invitation
from chats.models import Invitation
from chats.shapes import invitation_shape, with_chats
from contactcenter import longpoll

from . import asked, shown
from .door import Door, read
from .principals import AgentCaller
from .render import fresh_chat
from .schema import described, listing


class Invitations(Door):
    """Whoever asks for work is there: for an agent without a socket this renews the lease."""

    callers = {"GET": (AgentCaller,)}

    @described(
        "Open offers to this agent; `wait` holds an empty answer back",
        query=asked.InvitationsQuery,
        gives=listing(shown.Invitation),
    )
    def get(self, request: Request) -> Response:
        query = read(asked.InvitationsQuery, request.query_params)
        agent = self.caller.agent
        sign_in(agent, self.now)
        pending = Invitation.objects.pending().filter(agent=agent, expires_at__gt=self.now)
        found: list[dict[str, Any]] = [
            invitation_shape(one, now=self.now) for one in with_chats(pending).order_by("offered_at")
        ]
        response = Response({"results": found, "next": None})
        if query["wait"] and not found:
            longpoll.long_poll(response, [f"agent:{agent.pk}"], query["wait"])
        return response


class Accept(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Take the offered chat", gives=shown.ChatAnswer)
    def post(self, request: Request, invitation_id: UUID) -> Response:
        chat = accept_invitation(self.caller.agent, invitation_id, now=self.now)
        return Response({"chat": fresh_chat(self.caller, chat.pk, self.now)})


class Decline(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Leave the offered chat to others")
    def post(self, request: Request, invitation_id: UUID) -> Response:
        decline_invitation(self.caller.agent, invitation_id, now=self.now)
        return Response(status=204)
