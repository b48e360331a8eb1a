"""Their words for our events, as live clients hear them. A table: our type → what is said, in this order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chats.models import Chat, Event, Participant
from chats.protocols.hyperchat.reach import SYSTEM
from chats.protocols.hyperchat.shapes import PROVIDER, message_shapes

Said = tuple[str, dict[str, Any]]  # an event's name and what it carries, without the chat's id


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event of the log as customers see it (chats.shapes.event_for_customer).

    agent: the sender's id where an agent sent it; left: short users who have left since the last one joined.
    """

    chat: Chat
    event: dict[str, Any]
    agent: str = ""
    left: tuple[dict[str, Any], ...] = ()

    @property
    def kind(self) -> str:
        return str(self.event["sender"]["kind"])

    @property
    def sender(self) -> str:
        """The user who did it."""
        return str(self.chat.customer_id) if self.kind == "customer" else self.agent or SYSTEM


def words_for(told: Told) -> list[Said]:
    """What a live client hears of one event."""
    say = WORDS.get(told.event["type"])
    return say(told) if say else []


def agent_of(event: dict[str, Any]) -> dict[str, Any]:
    """The agent of an agent.joined or agent.left as a short user."""
    name = event["data"]["name"]
    return {"id": event["data"]["agent"], "name": name, "nickname": name, "providerId": PROVIDER}


def _message(told: Told) -> list[Said]:
    shown = told.event
    sender = None if told.kind == "system" else Participant(agent_id=UUID(told.agent) if told.agent else None)
    event = Event(
        chat_id=told.chat.pk,
        index=shown["index"],
        type=shown["type"],
        sender=sender,
        text=shown["text"],
        data={"attachments": shown["attachments"], "links": shown["data"].get("links", [])},
        at=datetime.fromisoformat(shown["at"]),
    )
    return [("message:received", {"message": message}) for message in message_shapes(event, told.chat)]


def _joined(told: Told) -> list[Said]:
    user = agent_of(told.event)
    said: list[Said] = [("user:joined", {"user": user})]
    if told.left and told.event["data"]["reason"] == "assigned":
        # Somebody took the chat from the one and gave it to the other.
        said.append(("chat:intervened", {"intervenedUsers": list(told.left), "interventor": user}))
    return said


def _left(told: Told) -> list[Said]:
    return [("user:left", {"user": agent_of(told.event)})]


def _alone(_told: Told) -> list[Said]:
    return [("forever:alone", {})]


def _closed(told: Told) -> list[Said]:
    """Clients ask for the ticket's survey before they hear that the chat has ended, or never."""
    closed: dict[str, Any] = {"userId": SYSTEM if told.event["data"]["by"] == "system" else told.sender}
    if told.event["data"]["reason"] == Chat.CloseReason.IDLE:
        closed["extraData"] = {"reason": "inactivity"}
    return [("system:info", {"data": {"ticketId": str(told.chat.pk)}}), ("chat:closed", closed)]


WORDS: dict[str, Callable[[Told], list[Said]]] = {
    "message.posted": _message,
    "customer.reminded": _message,
    "agent.joined": _joined,
    "agent.left": _left,
    "search.failed": _alone,
    "chat.closed": _closed,
}
# Public, and told in no words of theirs. That a chat waits is told by its place in the queue (queues:update).
SILENT = frozenset({"chat.started", "chat.queued", "chat.transferred", "chat.reopened"})
