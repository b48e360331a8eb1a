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
from .reach import Reach, as_id

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
        invitation = named_invitation(self.reach, self.read(asked.Invitation))
        accept_invitation(invitation.agent, invitation.pk, now=self.now)
        return _shown(invitation)

    put = post


class Reject(Door):
    access = {"POST": USER_OR_SERVER, "PUT": USER_OR_SERVER}

    def post(self, request: Request) -> Response:
        invitation = named_invitation(self.reach, self.read(asked.Invitation))
        decline_invitation(invitation.agent, invitation.pk, now=self.now)
        return _shown(invitation)

    put = post


def named_invitation(reach: Reach, said: dict[str, Any]) -> Invitation:
    """`said`: of asked.Invitation. The one named, or the latest of that chat to that agent. Raises Invalid, NotFound, Forbidden."""
    found = _reached(reach).order_by("-offered_at", "-pk").select_related("agent")
    if said["invitation"]:
        found = found.filter(pk=as_id(said["invitation"]))
    elif said["chat"]:
        found = found.filter(chat=as_id(said["chat"]), agent=_agent(reach, said["agent"]))
    else:
        raise Invalid("Name the invitation, or the chat and the user")
    invitation: Invitation | None = found.first()
    if invitation is None:
        raise NotFound
    return invitation


def invitation_shape(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": str(invitation.pk),
        "chatId": str(invitation.chat_id),
        "userId": str(invitation.agent_id),
        "status": STATUS[Invitation.State(invitation.state)],
        "expires": int(invitation.expires_at.timestamp()),
    }


def _reached(reach: Reach) -> Any:
    """With a token the agent's own; also of chats that are no longer in its reach, to say that it came too late."""
    ours = Invitation.objects.filter(chat__foreign__registration=reach.registration)
    return ours if reach.caller.is_server else ours.filter(agent=_agent(reach, None))


def _agent(reach: Reach, agent_id: Any) -> Agent:
    user = reach.acting(agent_id)
    if not isinstance(user, Agent):
        raise Forbidden("Only agents are invited")
    return user


def _shown(invitation: Invitation) -> Response:
    invitation.refresh_from_db()
    return Response({"invitation": invitation_shape(invitation)})
