"""One chat as one connection follows it: our frames in, their events out, in the log's order and each once."""

import json
from bisect import bisect_right
from typing import Any, Protocol

from agents.models import Agent
from chats.live import Payload, hub
from chats.models import Chat, Customer, Participant
from chats.protocols.hyperchat.places import place_shape
from chats.protocols.hyperchat.shapes import SAID, message_id, sender_id
from chats.sockets import gather
from chats.sockets.reader import Reader

from .words import Told, agent_of, words_for

MOST_REMEMBERED = 500  # numbers of messages, for what is said about reading them


class Outlet(Protocol):
    """Where it goes: the connection."""

    def tell(self, name: str, data: dict[str, Any]) -> None: ...
    def may_whisper(self) -> bool: ...
    async def drained(self) -> None: ...
    def lost(self, following: "Following") -> None: ...


class Following:
    """A reader's listener. An agent follows until it has left."""

    def __init__(self, outlet: Outlet, chat: Chat, *, user: Customer | Agent, after: int) -> None:
        self.outlet, self.chat, self.user = outlet, chat, user
        self.is_queued = chat.state == Chat.State.QUEUED
        self.is_open = chat.is_open
        self.place: tuple[int, int | None] | None = None
        self._agents: dict[str, str] = {}  # participant → agent
        self._left: list[dict[str, Any]] = []
        self._said: list[int] = []
        self.reader = Reader(self, gather.CUSTOMER, chat.pk, after)
        for part in chat.participants.all():
            self._know(part)

    def start(self) -> None:
        if isinstance(self.user, Agent):
            hub.subscribe(f"staff:{self.chat.pk}", self._hear_staff)
        self.reader.start()

    def stop(self) -> None:
        hub.unsubscribe(f"staff:{self.chat.pk}", self._hear_staff)
        self.reader.stop()

    def last_message(self) -> str:
        """The id of the last message that went out; empty when there was none."""
        return message_id(self.chat.pk, self._said[-1]) if self._said else ""

    def tell_place(self, place: tuple[int, int | None] | None) -> None:
        """Where the chat stands in its queue, and how many seconds it may take, when that has changed."""
        if place is not None and place != self.place:
            self.place = place
            self._tell("queues:update", place_shape(self.chat, *place))

    # What the reader hands over -----------------------------------------------------------------------------------------

    def push(self, frame: str) -> None:
        """A frame of our customer socket: `events`, or how far somebody has read."""
        found = json.loads(frame)
        if found["type"] == "events":
            for event in found["events"]:
                self._hear(event)
        elif found["type"] == "read":
            self._tell_read(found["kind"], found["index"])

    def whisper(self, frame: str) -> bool:
        if not self.outlet.may_whisper():
            return False
        found = json.loads(frame)
        if found["type"] == "typing":
            self._tell_typing(self._agents.get(found["sender"]["id"], ""), is_active=found["active"])
        else:
            self.push(frame)
        return True

    def _hear_staff(self, _topic: str, payload: Payload) -> None:
        """Customers are not told what customers type."""
        if payload["kind"] == "whisper" and payload["what"] == "typing" and self.outlet.may_whisper():
            said = payload["data"]
            if said["sender"]["kind"] == "customer":
                self._tell_typing(str(self.chat.customer_id), is_active=said["active"])

    async def drained(self) -> None:
        await self.outlet.drained()

    def passed(self, reader: Reader, types: frozenset[str]) -> None:
        """Nothing is read anew: what clients are told stands in the events."""

    # In their words -----------------------------------------------------------------------------------------------------

    def _hear(self, event: dict[str, Any]) -> None:
        told = Told(chat=self.chat, event=event, agent=self._agent_of(event), left=tuple(self._left))
        self._note(event)
        for name, data in words_for(told):
            self._tell(name, data)
        if event["type"] == "agent.left" and event["data"]["agent"] == str(self.user.pk):
            # Whoever has given a chat away hears nothing more of it.
            self.outlet.lost(self)

    def _note(self, event: dict[str, Any]) -> None:
        """What later events are told by."""
        match event["type"]:
            case "agent.joined":
                self._left.clear()
                self.is_queued = False
            case "agent.left":
                self._left.append(agent_of(event))
            case "chat.queued":
                self.is_queued, self.place = True, None
            case "chat.closed":
                self.is_queued = self.is_open = False
            case "chat.reopened":
                self.is_open = True
            case said if said in SAID:
                self._said = [*self._said[-MOST_REMEMBERED:], event["index"]]

    def _agent_of(self, event: dict[str, Any]) -> str:
        """The sending agent. Who joins tells by that who its participant is."""
        part_id = event["sender"].get("id", "")
        if event["type"] == "agent.joined" and part_id:
            self._agents[part_id] = event["data"]["agent"]
        return self._agents.get(part_id, "")

    def _tell_typing(self, user_id: str, *, is_active: bool) -> None:
        if user_id and user_id != str(self.user.pk):
            self._tell("user:activity", {"userId": user_id, "type": "writing" if is_active else "not-writing"})

    def _tell_read(self, side: str, index: int) -> None:
        """`index`: up to where; their clients want the message."""
        user_id = str(self.chat.customer_id) if side == "customer" else next(reversed(self._agents.values()), "")
        place = bisect_right(self._said, index)
        read = message_id(self.chat.pk, self._said[place - 1] if place else index)
        self._tell("message:read", {"userId": user_id, "message": {"id": read, "chat": str(self.chat.pk)}})

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        self.outlet.tell(name, {"chatId": str(self.chat.pk), **data})

    def _know(self, part: Participant) -> None:
        side = "customer" if part.kind == Participant.Kind.CUSTOMER else "agent"
        if part.agent_id:
            self._agents[str(part.pk)] = sender_id(part, self.chat)
        # Known to the client from the history: told again only when somebody reads on.
        key = ("read", side)
        self.reader.cursors[key] = max(part.read_index, self.reader.cursors.get(key, 0))
