"""One's own seat, and colleagues."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent, Presence
from agents.presence import TICKET_LIFE, issue_ticket, set_status, sign_in
from chats.actions.configure import add_seat, change_seat
from chats.errors import Forbidden, Invalid, NotFound
from chats.shapes import agent_shape, center_shape, stamp, team_shape, with_load

from . import asked, shown
from .chats import STAFF
from .door import Door, read
from .pagination import page
from .principals import AgentCaller, ApplicationCaller
from .render import fresh_agent
from .schema import described, listing
from .scope import find_team, own_team_ids, visible_agents, visible_teams


class Ticket(Door):
    callers = {"POST": (AgentCaller,)}

    @described("The right to open one agent socket within a minute", gives=shown.Ticket)
    def post(self, request: Request) -> Response:
        secret = issue_ticket(self.caller.agent, self.caller.session_key, self.now)
        return Response({"ticket": secret, "expires_at": stamp(self.now + TICKET_LIFE)})


class Me(Door):
    callers = {"GET": (AgentCaller,)}

    @described("One's own seat, teams and center", gives=shown.Me)
    def get(self, request: Request) -> Response:
        agent = self.caller.agent
        teams = visible_teams(self.caller).filter(pk__in=own_team_ids(agent.pk)).order_by("name")
        return Response(
            {
                "center": center_shape(self.caller.center),
                "agent": fresh_agent(self.caller, agent.pk, self.now),
                "teams": [team_shape(team) for team in teams],
            }
        )


class Status(Door):
    callers = {"POST": (AgentCaller,)}

    @described("Choose one's status", asks=asked.SetStatus, gives=shown.AgentAnswer)
    def post(self, request: Request) -> Response:
        body = read(asked.SetStatus, request.data)
        agent = self.caller.agent
        if body["status"] != Presence.Status.OFFLINE:
            sign_in(agent, self.now)
        set_status(agent, body["status"], self.now)
        return Response({"agent": fresh_agent(self.caller, agent.pk, self.now)})


class Agents(Door):
    callers = {"GET": STAFF, "POST": (ApplicationCaller,)}

    @described("Colleagues, by name", query=asked.AgentsQuery, gives=listing(shown.AgentShown))
    def get(self, request: Request) -> Response:
        query = read(asked.AgentsQuery, request.query_params)
        agents = visible_agents(self.caller)
        if query.get("team"):
            team = find_team(visible_teams(self.caller), query["team"])
            agents = agents.filter(memberships__team=team)
        if query.get("search"):
            agents = agents.filter(name__icontains=query["search"])
        if query.get("status"):
            agents = agents.filter(_has_status(query["status"], self.now))
        return Response(page(request, with_load(agents), "name", lambda agent: agent_shape(agent, now=self.now), query))

    @described("Open a seat (applications that may configure)", asks=asked.AddAgent, gives={201: shown.AgentShown})
    def post(self, request: Request) -> Response:
        program = may_configure(self.caller)
        body = read(asked.AddAgent, request.data)
        body["teams"] = _teams(self.caller, body.get("teams", []))
        if self.caller.team_ids is not None and not body["teams"]:
            raise Invalid(fields={"teams": _("Name at least one of your teams.")})
        agent = add_seat(program, body, now=self.now)
        return Response(fresh_agent(self.caller, agent.pk, self.now), status=201)


class OneAgent(Door):
    callers = {"GET": STAFF, "PATCH": (ApplicationCaller,)}

    @described("One colleague", gives=shown.AgentShown)
    def get(self, request: Request, agent_id: UUID) -> Response:
        agent = with_load(visible_agents(self.caller)).filter(pk=agent_id).first()
        if agent is None:
            raise NotFound
        return Response(agent_shape(agent, now=self.now))

    @described("Change a seat (applications that may configure)", asks=asked.EditAgent, gives=shown.AgentShown)
    def patch(self, request: Request, agent_id: UUID) -> Response:
        program = may_configure(self.caller)
        body = read(asked.EditAgent, request.data)
        # Switched-off seats, too: how else would one be switched on again.
        agent = _changeable(self.caller, agent_id)
        if "teams" in body:
            body["teams"] = _teams(self.caller, body["teams"])
            body["of_teams"] = self.caller.team_ids
        change_seat(program, agent, body, now=self.now)
        shown_agent = with_load(Agent.objects.filter(pk=agent.pk)).get()
        return Response(agent_shape(shown_agent, now=self.now))


def may_configure(caller: ApplicationCaller) -> Any:
    """The application, if it may. Raises Forbidden."""
    if not caller.application.may_configure:
        raise Forbidden(_("This application may not change teams, agents and channels."))
    return caller.application


def _changeable(caller: ApplicationCaller, agent_id: UUID) -> Agent:
    agents = Agent.objects.filter(center_id=caller.center.pk)
    if caller.team_ids is not None:
        agents = agents.filter(memberships__team_id__in=caller.team_ids)
    agent = agents.filter(pk=agent_id).select_related("user", "center").first()
    if agent is None:
        raise NotFound
    return agent


def _teams(caller: ApplicationCaller, named: list[str]) -> list[Any]:
    return [find_team(visible_teams(caller), one, field="teams") for one in dict.fromkeys(named)]


def _has_status(status: str, now: Any) -> Q:
    """As agent_shape shows it: without a lease everybody is offline."""
    there = Q(presence__lease_until__gt=now) & ~Q(presence__status=Presence.Status.OFFLINE)
    return ~there if status == Presence.Status.OFFLINE else there & Q(presence__status=status)
