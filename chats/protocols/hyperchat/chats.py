"""Chats: begun, listed, read, changed, ended. What a view does is a function here, so that live clients get the same answers."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from chats.actions.close import close_by_agent, close_by_customer, close_chat
from chats.actions.foreign import begin_foreign_chat, change_foreign_chat
from chats.actions.steer import transfer_by_application
from chats.doors.throttles import STARTS_BY_CUSTOMER, count
from chats.errors import Invalid
from chats.models import Chat, ForeignCustomer

from .asked_chats import BeginChat, ChangeChat, ChatsQuery, Named
from .callers import SERVER, USER_OR_SERVER
from .door import Door
from .entries import entries_of
from .history import history_of
from .members import users_of
from .reach import SHOWN, SYSTEM, Reach, as_id, part_in
from .shapes import chat_shape

STATES = {"waiting": Chat.WAITING, "active": (Chat.State.ACTIVE,), "closed": (Chat.State.CLOSED,)}


class Chats(Door):
    access = {"GET": SERVER, "POST": USER_OR_SERVER}

    def get(self, request: Request) -> Response:
        query = self.read(ChatsQuery, self.query())
        return Response({"chats": [show_chat(self.reach, chat) for chat in _chosen(self.reach, query)]})

    def post(self, request: Request) -> Response:
        return Response({"chat": begin_chat(self.reach, self.read(BeginChat), self.now)})


class OneChat(Door):
    access = {"GET": USER_OR_SERVER, "PUT": SERVER, "DELETE": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        chat = self.reach.chat(row_id)
        return Response({"chat": show_chat(self.reach, chat, self.query().get("fields"))})

    def put(self, request: Request, row_id: str) -> Response:
        return Response({"chat": change_chat(self.reach, row_id, self.read(ChangeChat), self.now)})

    def delete(self, request: Request, row_id: str) -> Response:
        """The closer stands in the body or, as their PHP library has it, in the query."""
        said = self.read(Named, self.query() | self.spare_body())
        end_chat(self.reach, row_id, said.get("userId"), self.now)
        return Response({"success": True})


def show_chat(reach: Reach, chat: Chat, fields: Any = None) -> dict[str, Any]:
    """A chat of reach.chat. `fields`: which of users, watchers and history are told, too: a list, or a text with commas."""
    wanted = fields.split(",") if isinstance(fields, str) else fields if isinstance(fields, list) else []
    wanted = [name.strip() for name in wanted if isinstance(name, str)]
    shape = chat_shape(chat, reach.room_id(chat.team_id))
    if "users" in wanted:
        shape["users"] = users_of(reach, chat)
    if "watchers" in wanted:
        shape["watchers"] = []  # supervisors look at chats without taking part, and nobody keeps a list of them
    if "history" in wanted:
        shape["history"] = history_of(chat)
    return shape


def begin_chat(reach: Reach, said: dict[str, Any], now: datetime) -> dict[str, Any]:
    """`said`: of asked_chats.BeginChat. Raises Conflict when the creator has an open chat, Invalid, NotFound, Forbidden and what start_chat raises."""
    creator = reach.acting(said.get("creator"))
    if not isinstance(creator, ForeignCustomer):
        raise Invalid("An agent cannot begin a chat")
    if not reach.caller.is_server:
        count(STARTS_BY_CUSTOMER, str(creator.customer_id))
    started = begin_foreign_chat(
        reach.registration,
        creator,
        team=reach.room(said["room"]),
        facts=_facts(said),
        external_id=said.get("externalId") or "",
        language=said.get("lang") or "",
        text=said.get("message") or "",
        history=entries_of(reach, creator.customer_id, said.get("history") or []),
        now=now,
    )
    return show_chat(reach, reach.chat(str(started.chat.pk)))


def change_chat(reach: Reach, chat_id: Any, said: dict[str, Any], now: datetime) -> dict[str, Any]:
    """`said`: of asked_chats.ChangeChat; another room passes the chat on. Raises NotFound, Invalid, Closed."""
    chat = reach.chat(chat_id)
    if said.get("room") is not None:
        team = reach.room(said["room"])
        if team.pk != chat.team_id:
            transfer_by_application(reach.chats(), chat.pk, team=team, now=now)
    change_foreign_chat(
        reach.chats(),
        chat.pk,
        language=said.get("lang"),
        external_id=said.get("externalId"),
        facts=_facts(said),
        now=now,
    )
    return show_chat(reach, reach.chat(chat_id))


def end_chat(reach: Reach, chat_id: Any, user_id: Any, now: datetime) -> None:
    """End a chat as its customer, as an agent or, with nobody named, as the system. Ending it twice is harmless. Raises NotFound, Forbidden."""
    chat = reach.chat(chat_id)
    if user_id in (None, "", SYSTEM) and reach.caller.is_server:
        if chat.is_open:
            # Nobody was found, and the client gives up.
            reason = Chat.CloseReason.UNANSWERED if chat.is_waiting else Chat.CloseReason.DONE
            close_chat(reach.chats(), chat.pk, reason=reason, now=now)
        return
    user = reach.acting(user_id)
    if isinstance(user, Agent):
        if chat.is_open:
            close_by_agent(user, chat.pk, now=now)
    else:
        close_by_customer(part_in(chat, user), now=now)


def _chosen(reach: Reach, query: dict[str, Any]) -> "QuerySet[Chat]":
    """One page, newest first. What names nothing finds nothing."""
    chats = reach.chats().select_related(*SHOWN).order_by("-started_at", "-pk")
    if query.get("status"):
        chats = chats.filter(state__in=STATES[query["status"]])
    if query.get("room"):
        team = reach.caller.rooms.get(query["room"])
        chats = chats.filter(team=team) if team else chats.none()
    if query.get("creator"):
        creator_id = as_id(query["creator"])
        chats = chats.filter(customer_id=creator_id) if creator_id else chats.none()
    if query.get("externalId"):
        chats = chats.filter(foreign__external_id=query["externalId"])
    start = (query["page"] - 1) * query["limit"]
    return chats[start : start + query["limit"]]


def _facts(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("room", "source") if said.get(name) is not None}
