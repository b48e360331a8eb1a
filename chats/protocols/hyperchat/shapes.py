"""Users, agents, chats and messages as HyperChat's clients read them. What they compare strictly keeps its JSON type."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from agents.models import Agent
from chats.events import MessagePosted
from chats.links import link_text
from chats.models import Chat, Customer, Event, ForeignChat, ForeignCustomer, Participant
from contactcenter.prepared import Prepared

from .reach import SYSTEM

PROVIDER = "contactcenter"  # not empty: that is how clients know an agent
STATUS = {
    Chat.State.SEARCHING: "waiting",
    Chat.State.QUEUED: "waiting",
    Chat.State.ACTIVE: "active",
    Chat.State.CLOSED: "closed",
}
SAID = (MessagePosted.type, "customer.reminded")  # events that their clients see as messages


def user_shape(foreign: ForeignCustomer, chats: Iterable[UUID]) -> dict[str, Any]:
    """A customer. `chats`: ids of the open ones alone: a client writes into the first it finds."""
    customer: Customer = foreign.customer
    return {
        "id": str(customer.pk),
        "name": customer.name,
        "nickname": foreign.facts.get("nickname", ""),
        "contact": foreign.facts.get("contact", customer.email),
        "externalId": foreign.external_id or "",
        "extraInfo": foreign.facts.get("extraInfo", {}),
        "providerId": "",
        "chats": [str(chat_id) for chat_id in chats],
    }


def agent_user(agent: Agent, chats: Iterable[UUID] = ()) -> dict[str, Any]:
    """An agent as a user. Neither log-in nor address of the person leaves the house."""
    return agent_short(agent) | {
        "contact": "",
        "externalId": "",
        "extraInfo": {},
        "chats": [str(chat_id) for chat_id in chats],
    }


def agent_short(agent: Agent) -> dict[str, Any]:
    return {"id": str(agent.pk), "name": agent.name, "nickname": agent.name, "providerId": PROVIDER}


def system_user(name: str) -> dict[str, Any]:
    """Who says greetings and closing words; with a provider, so that clients pass them on."""
    return {
        "id": SYSTEM,
        "name": name,
        "nickname": name,
        "contact": "",
        "externalId": "",
        "extraInfo": {},
        "providerId": SYSTEM,
        "chats": [],
    }


def chat_shape(chat: Chat, room: str) -> dict[str, Any]:
    """A chat with its foreign row. `source` and `room` come back with the type in which they were sent."""
    foreign: ForeignChat = chat.foreign
    asked_room = foreign.facts.get("room")
    return {
        "id": str(chat.pk),
        "creator": str(chat.customer_id),
        "room": asked_room if str(asked_room) == room else room,
        "source": foreign.facts.get("source", 3),
        "lang": chat.language,
        "externalId": foreign.external_id,
        "status": STATUS[Chat.State(chat.state)],
        "inQueue": chat.is_waiting and foreign.registration.uses_queue,
        "created": int(chat.started_at.timestamp()),
    }


def message_id(chat_id: UUID, index: int) -> str:
    """Numbered by what customers see: no hole tells that staff whispered."""
    return f"{chat_id.hex}-{index}"


def parse_message_id(value: Any) -> tuple[UUID, int] | None:
    """The chat and the index of a message's id, also of a file's beside a text ("….1"); None for anything else."""
    head, dash, tail = value.partition("-") if isinstance(value, str) else ("", "", "")
    tail = tail.partition(".")[0]
    if not dash or len(head) != 32 or not tail.isascii() or not tail.isdigit() or len(tail) > 9:
        return None
    try:
        return UUID(head), int(tail)
    except ValueError:
        return None


def sender_id(sender: Participant | None, chat: Chat) -> str:
    """The user who did something in the chat."""
    if sender is None:
        return SYSTEM
    return str(sender.agent_id or chat.customer_id)


def readers_of(chat: Chat) -> list[tuple[str, int]]:
    """(user, up to which index it has read) of everybody who takes part."""
    return [(sender_id(part, chat), part.read_index) for part in _PARTS.rows(chat.pk)]


def parts_of(chat: Any) -> "QuerySet[Participant]":
    """Of everybody who takes part, as they came."""
    return Participant.objects.filter(chat=chat).exclude(joined_at=None).order_by("joined_at", "id")


_PARTS = Prepared(parts_of)


def message_shapes(event: Event, chat: Chat, readers: Iterable[tuple[str, int]] = ()) -> list[dict[str, Any]]:
    """What was said as their messages: the text, then each file as a message of its own (type media), then each link as a text. `index` must be set.

    `readers`: of readers_of, where the marks are wanted.
    """
    assert event.index is not None  # noqa: S101 - public events alone
    own = message_id(event.chat_id, event.index)
    sender = sender_id(event.sender, chat)
    base = {
        "chat": str(event.chat_id),
        "sender": sender,
        "created": int(event.at.timestamp()),
        "read": [user for user, up_to in readers if up_to >= event.index and user != sender],
    }
    texts = [{"id": own, "type": "text", "message": event.text, **base}] if event.text else []
    media = [("media", media_shape(file)) for file in event.data.get("attachments", [])]
    links = [("text", link_text(link, " ")) for link in event.data.get("links", [])]
    return texts + [
        {"id": own if not (texts or number) else f"{own}.{number}", "type": kind, "message": message, **base}
        for number, (kind, message) in enumerate([*media, *links])
    ]


def media_shape(file: dict[str, Any]) -> dict[str, Any]:
    """A file within a message; the address is relative to the API's root."""
    return {"url": f"/media/{file['id']}", "type": file["content_type"], "name": file["name"], "size": file["size"]}
