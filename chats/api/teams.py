"""Teams, their queues, and the channels that lead to them."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.configure import add_channel, add_team, change_channel, change_team
from chats.errors import Invalid, NotFound
from chats.models import Chat
from chats.shapes import QUEUE_SHOWN, for_staff, queue_shape, stamp, team_shape
from contactcenter.hours import is_open, opens_at
from contactcenter.models import Channel, Team

from . import asked, shown
from .agents import may_configure
from .chats import STAFF
from .door import Door, read
from .pagination import page
from .principals import AgentCaller, ApplicationCaller
from .schema import described, listing
from .scope import find_team, read_teams, visible_channels, visible_teams


class Teams(Door):
    callers = {"GET": STAFF, "POST": (ApplicationCaller,)}

    @described("Teams, by name", page=asked.PageQuery, gives=listing(shown.TeamShown))
    def get(self, request: Request) -> Response:
        return Response(page(request, visible_teams(self.caller), "name", team_shape))

    @described("Add a team (applications that may configure)", asks=asked.EditTeam, gives={201: shown.TeamFull})
    def post(self, request: Request) -> Response:
        program = may_configure(self.caller)
        team = add_team(program, read(asked.EditTeam, request.data))
        return Response(_in_full(team, self.now), status=201)


class OneTeam(Door):
    callers = {"GET": STAFF, "PATCH": (ApplicationCaller,)}

    @described("One team: is it open, who waits", gives=shown.TeamFull)
    def get(self, request: Request, team_id: UUID) -> Response:
        return Response(_in_full(self._team(team_id), self.now))

    @described("Change a team (applications that may configure)", asks=asked.EditTeam, gives=shown.TeamFull)
    def patch(self, request: Request, team_id: UUID) -> Response:
        program = may_configure(self.caller)
        team = self._team(team_id)
        body = read(asked.EditTeam, request.data, partial=True)
        return Response(_in_full(change_team(program, team, body, now=self.now), self.now))

    def _team(self, team_id: UUID) -> Team:
        team = visible_teams(self.caller).filter(pk=team_id).first()
        if team is None:
            raise NotFound
        return team


class Queue(Door):
    callers = {"GET": STAFF}

    @described("Who waits in the caller's teams, the next one first", gives=listing(shown.Queue))
    def get(self, request: Request) -> Response:
        teams = read_teams(self.caller).filter(is_active=True)
        waiting = Q(chats__state__in=Chat.WAITING)
        counted = teams.annotate(
            waiting=Count("chats", filter=waiting), oldest_at=Min("chats__queued_at", filter=waiting)
        )
        viewer = self.caller.agent.pk if isinstance(self.caller, AgentCaller) else None
        queues = [
            queue_shape(
                team.pk,
                list(for_staff(Chat.objects.waiting().filter(team=team))[:QUEUE_SHOWN]) if team.waiting else [],
                count=team.waiting,
                oldest_at=team.oldest_at,
                viewer_id=viewer,
                now=self.now,
            )
            for team in counted.order_by("name")
        ]
        return Response({"results": queues, "next": None})


class Channels(Door):
    callers = {"GET": STAFF, "POST": (ApplicationCaller,)}

    @described("Channels, by name", page=asked.PageQuery, gives=listing(shown.ChannelShown))
    def get(self, request: Request) -> Response:
        return Response(page(request, visible_channels(self.caller), "name", channel_shape))

    @described(
        "Add a channel (applications that may configure)", asks=asked.EditChannel, gives={201: shown.ChannelShown}
    )
    def post(self, request: Request) -> Response:
        program = may_configure(self.caller)
        fields = _channel_fields(self.caller, read(asked.EditChannel, request.data))
        return Response(channel_shape(add_channel(program, fields)), status=201)


class OneChannel(Door):
    callers = {"GET": STAFF, "PATCH": (ApplicationCaller,)}

    @described("One channel", gives=shown.ChannelShown)
    def get(self, request: Request, channel_id: UUID) -> Response:
        return Response(channel_shape(self._channel(channel_id)))

    @described("Change a channel (applications that may configure)", asks=asked.EditChannel, gives=shown.ChannelShown)
    def patch(self, request: Request, channel_id: UUID) -> Response:
        program = may_configure(self.caller)
        channel = self._channel(channel_id)
        body = _channel_fields(self.caller, read(asked.EditChannel, request.data, partial=True))
        return Response(channel_shape(change_channel(program, channel, body)))

    def _channel(self, channel_id: UUID) -> Channel:
        channel = visible_channels(self.caller).filter(pk=channel_id).first()
        if channel is None:
            raise NotFound
        return channel


def channel_shape(channel: Channel) -> dict[str, Any]:
    """A channel without its identity secret, which only its admin sees."""
    team = channel.team
    return {
        "id": str(channel.pk),
        "kind": str(channel.kind),
        "name": channel.name,
        "key": channel.key,
        "team": named(team) if team else None,
        "allowed_origins": channel.allowed_origins,
        "is_active": channel.is_active,
    }


def named(team: Team) -> dict[str, Any]:
    return {"id": str(team.pk), "key": team.key, "name": team.name}


def _in_full(team: Team, now: Any) -> dict[str, Any]:
    return team_shape(team) | {
        "is_open": is_open(team, now),
        "opens_at": stamp(opens_at(team, now)),
        "waiting": Chat.objects.waiting().filter(team=team).count(),
        "strategy": str(team.strategy),
        "languages": team.languages,
    }


def _channel_fields(caller: ApplicationCaller, body: dict[str, Any]) -> dict[str, Any]:
    """The named team as a row. Who is bound to teams cannot make a channel that leads everywhere. Raises Invalid."""
    if body.get("team"):
        body["team"] = find_team(visible_teams(caller), body["team"])
    elif "team" in body:
        body["team"] = None
    if caller.team_ids is not None and "name" in body and body.get("team") is None:
        raise Invalid(fields={"team": _("Choose one of your teams.")})
    return body
