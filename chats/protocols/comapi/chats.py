"""The chat service: begun, read, changed, assigned, moved, closed, deleted; who types, who takes part.

scope=profile with a profileId (a customer's, or PLATFORMUSER\\<email> of an agent) gives the chats in which that one takes part; a program
that names nobody gets all. A customer's app sees its own in any case. idsOnly gives an array of ids. Deleted chats have ended, so
includeDeleted shows them without includeClosed. What is named in a PUT is changed, the rest stays.
"""

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.show import show_typing, show_typing_of_team
from chats.actions.space_chats import (
    assign_space_chat,
    change_space_chat,
    close_space_chat,
    delete_space_chat,
    move_space_chat,
)
from chats.models import Chat, Participant, SpaceChat

from . import asked_chats
from .channels import wanted_reach
from .chat_list import find_chats
from .creation import begin, wanted_agent
from .door import Door
from .etags import check_match, etag_of
from .names import iso, wanted_team
from .outgoing import file_words, update_payload
from .shapes import changed_at, chat_shape, participants
from .spaces import find_chat


class Chats(Door):
    allows_apps = True
    asks = {"POST": asked_chats.ChatCreate}
    queries = {"GET": asked_chats.ChatList}

    def get(self, request: Request) -> Response:
        """Chats, the newest first"""
        return Response(find_chats(self.caller, self.read_query(asked_chats.ChatList)))

    def post(self, request: Request) -> Response:
        """Begin a chat"""
        self.programs_only()
        known = begin(self.caller, self.read(asked_chats.ChatCreate), now=self.now)
        return self.entity(chat_shape(known), changed_at=changed_at(known), status=201)


class ChatDoor(Door):
    """Of one chat."""

    def chat(self, chat_id: str, *, deleted: bool = False) -> SpaceChat:
        """Raises NotFound."""
        return find_chat(self.caller, chat_id, self.now, deleted=deleted)

    def check(self, known: SpaceChat) -> None:
        """if-match, once the chat is locked. Raises Stale."""
        check_match(self.request, chat_shape(known))

    def changes(self) -> dict[str, Any]:
        """What every action wants to know."""
        return {"actor": self.caller.actor, "check": self.check, "now": self.now}

    def show(self, known: SpaceChat) -> Response:
        return self.entity(chat_shape(known), changed_at=changed_at(known))


class OneChat(ChatDoor):
    allows_apps = True
    asks = {"PUT": asked_chats.ChatUpdate}
    queries = {"GET": asked_chats.ChatQuery}

    def get(self, request: Request, chat_id: str) -> Response:
        """One chat"""
        asked = self.read_query(asked_chats.ChatQuery)
        return self.show(self.chat(chat_id, deleted=asked["includeDeleted"] and self.caller.is_program))

    def put(self, request: Request, chat_id: str) -> Response:
        """Another name or description"""
        self.programs_only()
        known, said = self.chat(chat_id), self.read(asked_chats.ChatUpdate)
        changes = {name: value or "" for name, value in said.items()}
        with transaction.atomic():
            known = change_space_chat(known, changes, **self.changes())
            if known.updated_at == self.now:
                self.tell("chat.update", known, update_payload(chat_shape(known)))
        return self.show(known)

    def delete(self, request: Request, chat_id: str) -> Response:
        """The space sees it no more"""
        self.programs_only()
        known = self.chat(chat_id)
        with transaction.atomic():
            known = delete_space_chat(known, **self.changes())
            self.tell("chat.delete", known, {"id": chat_id, "date": iso(self.now), "by": self.caller.actor})
        return Response(status=204)

    def tell(self, name: str, known: SpaceChat, payload: dict[str, Any]) -> None:
        """Web hooks, of what no chat's log says."""
        file_words(
            self.caller.registration,
            name,
            payload,
            chat_id=known.chat_id,
            now=self.now,
            revision=known.chat.position,
            etag=etag_of(chat_shape(known)),
        )


class Assign(ChatDoor):
    asks = {"PUT": asked_chats.ChatAssign}

    def put(self, request: Request, chat_id: str) -> Response:
        """Hand it to a team, or to an agent of it"""
        known, said = self.chat(chat_id), self.read(asked_chats.ChatAssign)
        registration, agent_id = self.caller.registration, said.get("agentId")
        team = wanted_team(registration, said["teamId"])
        agent = wanted_agent(registration, agent_id, team, "agentId") if agent_id else None
        return self.show(assign_space_chat(known, team, agent, **self.changes()))


class Close(ChatDoor):
    asks = {"PUT": asked_chats.ChatClose}

    def put(self, request: Request, chat_id: str) -> Response:
        """End it, with the team's closing words unless they are bypassed"""
        known, said = self.chat(chat_id), self.read(asked_chats.ChatClose)
        return self.show(close_space_chat(known, is_silent=bool(said.get("bypassMessage")), **self.changes()))


class ChannelOf(ChatDoor):
    asks = {"PUT": asked_chats.ChatChannel}

    def put(self, request: Request, chat_id: str) -> Response:
        """Go on by another channel"""
        known, said = self.chat(chat_id), self.read(asked_chats.ChatChannel)
        chat = known.chat
        reach = wanted_reach(self.caller.registration, said["channelId"], chat.customer, chat.team)
        return self.show(move_space_chat(known, reach, **self.changes()))


class Typing(ChatDoor):
    """An app's customer types, or somebody of our side."""

    allows_apps = True

    def post(self, request: Request, chat_id: str) -> Response:
        """Somebody types"""
        return self.say(chat_id, active=True)

    def delete(self, request: Request, chat_id: str) -> Response:
        """And has stopped"""
        return self.say(chat_id, active=False)

    def say(self, chat_id: str, *, active: bool) -> Response:
        """In a chat that has ended nobody hears it."""
        chat = self.chat(chat_id).chat
        if not chat.is_open:
            return Response(status=204)
        if participant := self.typist(chat):
            show_typing(participant, active=active)
        else:
            show_typing_of_team(chat, active=active)
        return Response(status=204)

    def typist(self, chat: Chat) -> Participant | None:
        """None: of our side, and no agent has the chat."""
        if not self.caller.is_program:
            return chat.participants.get(kind=Participant.Kind.CUSTOMER)
        return chat.participants.joined().filter(agent=chat.agent).first() if chat.agent_id else None


class Participants(ChatDoor):
    allows_apps = True

    def get(self, request: Request, chat_id: str) -> Response:
        """The customer, and the agent if it has one"""
        return Response(participants(self.chat(chat_id)))


ROUTES: list[tuple[str, type[Door], str]] = [
    ("chats", Chats, "chats"),
    ("chats/{chat_id}", OneChat, "chat"),
    ("chats/{chat_id}/assign", Assign, "chat-assign"),
    ("chats/{chat_id}/close", Close, "chat-close"),
    ("chats/{chat_id}/channel", ChannelOf, "chat-channel"),
    ("chats/{chat_id}/typing", Typing, "chat-typing"),
    ("chats/{chat_id}/participants", Participants, "chat-participants"),
]
