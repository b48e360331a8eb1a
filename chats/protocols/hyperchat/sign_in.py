"""Agents' clients come and go: log-in with an application password, log-out by the server or with the agent's own token."""

from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent, Membership, Presence
from agents.presence import end_lease, set_status, sign_in
from chats.doors.passwords import person_of
from chats.errors import Forbidden, NotFound
from contactcenter.models import User

from . import asked_users as asked
from .callers import PUBLIC, USER_OR_SERVER, agent_token
from .door import Door
from .shapes import agent_user
from .users import open_chats_of


class Login(Door):
    access = {"POST": PUBLIC}

    def post(self, request: Request) -> Response:
        """{user, session: {token}}: the agent is online from now on, as long as its client asks something every half minute."""
        body = self.read(asked.Login)
        agent = self._seat(person_of(request, body["name"], body["password"], self.now))
        sign_in(agent, self.now)
        set_status(agent, Presence.Status.ONLINE, self.now)
        chats = open_chats_of(self.reach, [agent.pk]).get(agent.pk, ())
        token = agent_token(self.caller.registration, agent)
        return Response({"user": agent_user(agent, chats), "session": {"token": token}})

    def _seat(self, person: User) -> Agent:
        """The person's seat, if it answers a room of this application. Raises Forbidden."""
        members = Membership.objects.filter(team_id__in=self.reach.team_ids).values("agent_id")
        seats = Agent.objects.active().filter(center_id=self.reach.registration.center_id, pk__in=members)
        agent = seats.filter(user=person).select_related("user").first()
        if agent is None:
            raise Forbidden("This person answers no room of this application")
        return agent


class Logout(Door):
    access = {"POST": USER_OR_SERVER, "PUT": USER_OR_SERVER}

    def post(self, request: Request) -> Response:
        """The agent is offline in all rooms, and its token proves nothing until the next log-in."""
        user = self.reach.acting(self.read(asked.NamesAgent)["agent"])
        if not isinstance(user, Agent):
            raise NotFound
        set_status(user, Presence.Status.OFFLINE, self.now)
        end_lease(user, self.now)
        return Response({"success": True})

    put = post
