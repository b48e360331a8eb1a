"""Invitations: a chat offered to an agent, who accepts or rejects it."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.actions.offer import accept_invitation, decline_invitation
from chats.actions.steer import invite_agent
from chats.errors import Forbidden, Invalid, NotFound
from chats.models import Invitation

from . import asked_users as asked
from .callers import SERVER, USER_OR_SERVER
from .door import Door
from .reach import as_id

# By our state; a client that asks again after its own answer is told the same.
STATUS = {
    Invitation.State.PENDING: "pending",
    Invitation.State.ACCEPTED: "accepted",
    Invitation.State.DECLINED: "rejected",
    Invitation.State.EXPIRED: "expired",
    Invitation.State.WITHDRAWN: "withdrawn",
}


class Invitations(Door):
    access = {"POST": SERVER}

    def post(self, request: Request) -> Response:
        """Offer a waiting chat to the agent; whoever has it on offer loses it."""
        body = self.read(asked.Invitation)
        chat = self.reach.chat(body["chat"])
        agent = self.reach.agent(body["agent"])
        return _shown(invite_agent(self.reach.chats(), chat.pk, agent, now=self.now))


class Accept(Door):
    access = {"POST": USER_OR_SERVER, "PUT": USER_OR_SERVER}

    def post(self, request: Request) -> Response:
        invitation = self.invitation()
        accept_invitation(invitation.agent, invitation.pk, now=self.now)
        invitation.refresh_from_db()
        return _shown(invitation)

    put = post

    def invitation(self) -> Invitation:
        """The one named, or the latest of that chat to that agent. Raises Invalid, NotFound, Forbidden."""
        body = self.read(asked.Invitation)
        found = self._reached().order_by("-offered_at", "-pk").select_related("agent")
        if body["invitation"]:
            found = found.filter(pk=as_id(body["invitation"]))
        elif body["chat"]:
            found = found.filter(chat=as_id(body["chat"]), agent=self._agent(body["agent"]))
        else:
            raise Invalid("Name the invitation, or the chat and the user")
        invitation = found.first()
        if invitation is None:
            raise NotFound
        return invitation

    def _reached(self) -> Any:
        """With a token the agent's own; also of chats that are no longer in its reach, to say that it came too late."""
        ours = Invitation.objects.filter(chat__foreign__registration=self.reach.registration)
        if self.caller.is_server:
            return ours
        return ours.filter(agent=self._agent(None))

    def _agent(self, agent_id: Any) -> Agent:
        user = self.reach.acting(agent_id)
        if not isinstance(user, Agent):
            raise Forbidden("Only agents are invited")
        return user


class Reject(Accept):
    def post(self, request: Request) -> Response:
        invitation = self.invitation()
        decline_invitation(invitation.agent, invitation.pk, now=self.now)
        invitation.refresh_from_db()
        return _shown(invitation)

    put = post


def _shown(invitation: Invitation) -> Response:
    return Response(
        {
            "invitation": {
                "id": str(invitation.pk),
                "chatId": str(invitation.chat_id),
                "userId": str(invitation.agent_id),
                "status": STATUS[Invitation.State(invitation.state)],
                "expires": int(invitation.expires_at.timestamp()),
            }
        }
    )
