"""Agents of the application's rooms as its server sees and, where it may configure, changes them."""

from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent, Membership
from chats.actions.configure import add_seat, change_seat
from chats.errors import Forbidden, Invalid, NotFound
from chats.shapes import agent_shape, with_load
from contactcenter.models import Application

from . import asked_users as asked
from .callers import SERVER
from .door import Door
from .reach import as_id
from .shapes import agent_user
from .users import open_chats_of

MOST_AGENTS = 500  # in one answer


class Seats(Door):
    """What both addresses share."""

    def _program(self) -> Application:
        """The application, if it may change seats. Raises Forbidden."""
        program: Application = self.caller.registration.application
        if not program.may_configure:
            raise Forbidden("This application may not change agents")
        return program

    def _fresh(self, agent: Agent) -> dict[str, Any]:
        return self._shapes(with_load(Agent.objects.filter(pk=agent.pk)))[0]

    def _shapes(self, agents: Iterable[Agent]) -> list[dict[str, Any]]:
        """Agents as users, and as seats: rooms, languages, capacity and how much of it is used, status."""
        seats = {agent: agent_shape(agent, now=self.now) for agent in agents}
        chats = open_chats_of(self.reach, [agent.pk for agent in seats])
        return [
            agent_user(agent, chats.get(agent.pk, ()))
            | {
                "rooms": [room for room, team in self.caller.rooms.items() if str(team.pk) in seat["teams"]],
                "active": agent.is_active,
                **{name: seat[name] for name in ("languages", "capacity", "used", "status")},
            }
            for agent, seat in seats.items()
        ]


class Agents(Seats):
    access = {"GET": SERVER, "POST": SERVER}

    def get(self, request: Request) -> Response:
        """By name; `roomId` (or roomIds, room) narrows it down."""
        query = self.read(asked.RoomsQuery, self.query())
        agents = self.reach.agents()
        if query["rooms"] is not None:
            teams = [self.caller.rooms[room].pk for room in query["rooms"] if room in self.caller.rooms]
            agents = agents.filter(pk__in=Membership.objects.filter(team_id__in=teams).values("agent_id"))
        return Response({"agents": self._shapes(with_load(agents).order_by("name")[:MOST_AGENTS])})

    def post(self, request: Request) -> Response:
        """A new seat for the person of that address, who gets a mail; at least one room must be named."""
        program = self._program()
        body = self.read(asked.Agent)
        if not body.get("name") or not body.get("email"):
            raise Invalid("Name the agent, and an email address")
        if not body.get("rooms"):
            raise Invalid("Name at least one room")
        fields = _seat_fields(body) | {
            "is_bot": False,
            "user": {"email": body["email"]},
            "teams": [self.reach.room(room) for room in body["rooms"]],
        }
        return Response({"agent": self._fresh(add_seat(program, fields, now=self.now))})


class OneAgent(Seats):
    access = {"GET": SERVER, "PUT": SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        return Response({"agent": self._fresh(self.reach.agent(row_id))})

    def put(self, request: Request, row_id: str) -> Response:
        """Rooms that are named are all that the agent has among the application's."""
        program = self._program()
        agent = self._changeable(row_id)
        body = self.read(asked.Agent)
        fields = _seat_fields(body)
        if "rooms" in body:
            fields |= {"teams": [self.reach.room(room) for room in body["rooms"]], "of_teams": self.reach.team_ids}
        return Response({"agent": self._fresh(change_seat(program, agent, fields, now=self.now))})

    def _changeable(self, agent_id: str) -> Agent:
        """Of the application's rooms; also switched off, or how would one be switched on again. Raises NotFound."""
        own = Membership.objects.filter(team_id__in=self.reach.team_ids).values("agent_id")
        agents = Agent.objects.filter(center_id=self.reach.registration.center_id, pk__in=own)
        row_id = as_id(agent_id)
        agent = agents.filter(pk=row_id).select_related("user", "center").first() if row_id else None
        if agent is None:
            raise NotFound
        return agent


def _seat_fields(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("name", "languages", "capacity", "is_active") if name in body}
