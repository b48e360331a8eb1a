"""Chats: started, found, read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.begin import Wish, begin_chat
from chats.actions.start import Start, Started, start_chat
from chats.actions.steer import customer_for
from chats.doors.throttles import STARTS_BY_CUSTOMER, count
from chats.errors import Invalid
from chats.events import RoutingDecided
from chats.models import Chat
from contactcenter.models import Channel

from . import asked, shown
from .decisions import decision_shape
from .door import Door, read
from .pagination import page
from .principals import AgentCaller, ApplicationCaller, CustomerCaller
from .render import chat_for, chats_for, find_shown_chat, fresh_chat
from .schema import described, listing
from .scope import as_id, find_chat, find_customer, find_team, visible_channels, visible_chats, visible_teams

EVERYBODY = (CustomerCaller, AgentCaller, ApplicationCaller)
STAFF = (AgentCaller, ApplicationCaller)


class Chats(Door):
    callers = {"GET": STAFF, "POST": (CustomerCaller, ApplicationCaller)}
    open_to_pages = True

    @described("Chats that one may see, newest first", query=asked.ChatsQuery, gives=listing(shown.AnyChat))
    def get(self, request: Request) -> Response:
        query = read(asked.ChatsQuery, request.query_params)
        chats = chats_for(self.caller, _chosen(visible_chats(self.caller), self.caller, query))
        return Response(page(request, chats, "-started_at", lambda chat: chat_for(self.caller, chat, self.now), query))

    @described("Start a chat", asks=asked.StartChat, gives={200: shown.Started, 201: shown.Started})
    def post(self, request: Request) -> Response:
        body = read(asked.StartChat, request.data)
        caller = self.caller
        if isinstance(caller, CustomerCaller):
            count(STARTS_BY_CUSTOMER, str(caller.customer.pk))
            started = begin_chat(caller.session.channel, caller.customer, wish_of(body), now=self.now)
        else:
            started = _start_for_application(caller, body, self.now)
        chat = fresh_chat(caller, started.chat.pk, self.now)
        return Response(started_answer(started, chat), status=200 if started.replayed else 201)


def started_answer(started: Started, chat: dict[str, Any]) -> dict[str, Any]:
    return {"chat": chat, "index": started.chat.index, "replayed": started.replayed}


class OneChat(Door):
    callers = {"GET": EVERYBODY}
    open_to_pages = True

    @described("One chat", gives=shown.AnyChat)
    def get(self, request: Request, chat_id: UUID) -> Response:
        return Response(chat_for(self.caller, find_shown_chat(self.caller, chat_id), self.now))


class Decisions(Door):
    callers = {"GET": STAFF}

    @described("Why this agent: the routing decisions", gives=listing(shown.Decision))
    def get(self, request: Request, chat_id: UUID) -> Response:
        chat = find_chat(self.caller, chat_id)
        decided = chat.events.filter(type=RoutingDecided.type).order_by("-position")[:100]
        return Response({"results": [decision_shape(event) for event in decided], "next": None})


def _chosen(chats: "QuerySet[Chat]", caller: Any, query: dict[str, Any]) -> "QuerySet[Chat]":
    """The filters of docs/api.md."""
    state = query.get("state")
    if state == "open":
        chats = chats.exclude(state=Chat.State.CLOSED)
    elif state == "waiting":
        chats = chats.filter(state__in=Chat.WAITING)
    elif state:
        chats = chats.filter(state=state)
    if query.get("team"):
        chats = chats.filter(team=find_team(visible_teams(caller), query["team"]))
    if query.get("agent"):
        chats = chats.filter(agent_id=_agent_id(caller, query["agent"]))
    if query.get("customer"):
        chats = chats.filter(customer_id=query["customer"])
    if query.get("since"):
        chats = chats.filter(started_at__gte=query["since"])
    if query.get("until"):
        chats = chats.filter(started_at__lt=query["until"])
    return _searched(chats, query.get("search", "").strip())


def _searched(chats: "QuerySet[Chat]", words: str) -> "QuerySet[Chat]":
    if not words:
        return chats
    fields = ("customer__name", "customer__email", "customer__phone", "subject", "last_text")
    wanted = Q()
    for name in fields:
        wanted |= Q(**{f"{name}__icontains": words})
    return chats.filter(wanted | Q(pk=as_id(words)) | Q(customer__external_id=words))


def _agent_id(caller: Any, named: str) -> UUID:
    if named == "me" and isinstance(caller, AgentCaller):
        return caller.agent.pk
    found = as_id(named)
    if found is None:
        raise Invalid(fields={"agent": _("Name an agent by id, or me.")})
    return found


def wish_of(body: dict[str, Any]) -> Wish:
    """Of a body in the form of asked.StartChat."""
    names = ("client_id", "team", "subject", "text", "language", "form", "data")
    where = body.get("page", {})
    return Wish(
        **{name: body[name] for name in names if name in body},
        page_url=where.get("url", ""),
        page_title=where.get("title", ""),
    )


def _start_for_application(caller: ApplicationCaller, body: dict[str, Any], now: datetime) -> Any:
    who = body.get("customer")
    if not who:
        raise Invalid(fields={"customer": _("Say whose chat it is.")})
    if who.get("id"):
        find_customer(caller, who["id"])
    channel = _channel(caller, body.get("channel"))
    team = _team(caller, channel, body.get("team", ""))
    customer = customer_for(caller.center, who, now=now)
    where = body.get("page", {})
    names = ("client_id", "subject", "text", "language", "data", "skills", "priority")
    start = Start(
        **{name: body[name] for name in names if name in body},
        team=team,
        page_url=where.get("url", ""),
        page_title=where.get("title", ""),
        has_lease=False,
    )
    return start_chat(channel, customer, start, now=now)


def _channel(caller: ApplicationCaller, channel_id: UUID | None) -> Channel:
    """The one that is named, else the center's own for programs, else its first. Raises Invalid."""
    channels = visible_channels(caller).filter(is_active=True)
    if channel_id is not None:
        channel = channels.filter(pk=channel_id).first()
    else:
        known = list(channels.order_by("created_at"))
        channel = next((one for one in known if one.kind == Channel.Kind.API), known[0] if known else None)
    if channel is None:
        raise Invalid(fields={"channel": _("There is no such channel.")})
    return channel


def _team(caller: ApplicationCaller, channel: Channel, named: str) -> Any:
    """The team that is named; an application that is bound to teams gets one of its own even when it names none."""
    if named:
        return find_team(visible_teams(caller).filter(is_active=True), named)
    if caller.team_ids is None:
        return None
    own = visible_teams(caller).filter(is_active=True)
    team = next((one for one in own if one.pk == channel.team_id), None) or own.order_by("-is_default", "name").first()
    if team is None:
        raise Invalid(fields={"team": _("Choose a team.")})
    return team
