"""Chats, participants, messages and the agent itself, as agents' programs read them (HTCC API, Chat resource).

Messages are made from the log, so that every chat has them, whatever door it came through: 1, 2, 3 …, with the private notes, without typing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from agents.models import Agent, Presence
from chats.events import NotePosted
from chats.models import Chat, Event, Participant

from .agent_reach import COMPLETED, INVITED, Place
from .lines import AGENT, CUSTOMER, CUSTOMER_ID, EXTERNAL, SPOKEN, SYSTEM, SYSTEM_ID, TABLE, TEXT, Line

ALL, AGENTS = "All", "Agents"  # who sees a line
SPEAKING = ["SendMessage", "SendStartTypingNotification", "SendStopTypingNotification"]
DATA = ["SetDisposition", "AttachUserData", "UpdateUserData", "DeleteUserData"]
STAYING = ["Leave", "LeaveAndComplete", "SendToAgents", "SetInFocus"]
OWNING = [*SPEAKING, "Transfer", "Invite", "Complete", *STAYING, *DATA]
VISITING = [*STAYING, *DATA[1:]]
STATUSES = {Presence.Status.ONLINE: "Ready", Presence.Status.AWAY: "NotReady", Presence.Status.OFFLINE: "LoggedOut"}


def chat_shape(place: Place, base: str) -> dict[str, Any]:
    """`base`: our address as the caller wrote it."""
    chat = place.chat
    path = f"/me/chats/{chat.pk}"
    return {
        "id": str(chat.pk),
        "uri": f"{base}/api/v2{path}",
        "path": path,
        "chatType": "Inbound",
        "state": place.state,
        "capabilities": capabilities(place),
        "participants": list(participants(chat).values()),
        "subject": chat.subject,
        "queueName": chat.team.name,
        "userData": chat.data,
        "disposition": chat.disposition.name if chat.disposition else None,
        "receivedDate": stamp(chat.started_at),
    }


def capabilities(place: Place) -> list[str]:
    """The operations that are valid now."""
    if place.state == COMPLETED:
        return [*DATA, "Complete"] if place.is_owner else []
    if place.state == INVITED:
        return ["Accept", "Reject"]
    if place.is_owner:
        return OWNING
    offered = ["Accept", "Reject"] if place.invitation else []
    return offered + (SPEAKING if place.chat.state == Chat.State.ACTIVE else []) + VISITING


def participants(chat: Chat) -> dict[str, dict[str, Any]]:
    """{customer, system or an agent's id: {id, nickname, participantId, type}}: who is or was in it, as the customer counts them."""
    found = {CUSTOMER: _participant(CUSTOMER_ID, chat.customer.name, CUSTOMER)}
    found[SYSTEM] = _participant(SYSTEM_ID, SYSTEM, EXTERNAL)
    staff = [one for one in chat.participants.all() if one.agent_id and one.joined_at]
    for one in sorted(staff, key=_came_at):
        number = str(len(found) + 1)
        found[str(one.agent_id)] = _participant(number, one.name, AGENT) | {"path": f"/users/{one.agent_id}"}
    return found


def messages(chat: Chat, start: int, count: int) -> list[dict[str, Any]]:
    """Those from number `start` on (1 is the first), at most `count`."""
    people = participants(chat)
    numbered = enumerate(_lines(chat), 1)
    return [_message(number, *line, people) for number, line in islice(numbered, start - 1, start - 1 + count)]


def user_shape(seat: Agent, base: str) -> dict[str, Any]:
    first, _, last = seat.name.partition(" ")
    return {
        "id": str(seat.pk),
        "uri": f"{base}/api/v2/users/{seat.pk}",
        "path": f"/users/{seat.pk}",
        "userName": seat.user.get_username(),
        "firstName": first,
        "lastName": last,
        "emailAddress": seat.user.email,
        "enabled": True,
        "roles": ["ROLE_SUPERVISOR" if seat.is_supervisor else "ROLE_AGENT"],
    }


def channel_shape(seat: Agent, presence: Presence | None, *, used: int, now: datetime) -> dict[str, Any]:
    """The one channel: whether chats come, how many fit, and how many are there."""
    is_there = presence is not None and presence.is_leased(now)
    status = Presence.Status(presence.status) if presence and is_there else Presence.Status.OFFLINE
    return {"channel": "chat", "state": STATUSES[status], "capacity": seat.capacity, "used": used}


def stamp(at: datetime) -> str:
    """As the samples write it: 2014-01-09 12:13:15.009+0000."""
    there = at.astimezone(UTC)
    return f"{there:%Y-%m-%d %H:%M:%S}.{there.microsecond // 1000:03}+0000"


def _lines(chat: Chat) -> Iterator[tuple[Event, Line, str]]:
    """Each line with its event and who sees it."""
    events = chat.events.filter(type__in=[*SPOKEN, NotePosted.type]).select_related("sender").order_by("position")
    for event in events.iterator():
        if event.type == NotePosted.type:
            who = str(event.sender.agent_id) if event.sender else SYSTEM
            yield event, Line(TEXT, who, event.sender_name, event.text), AGENTS
        else:
            for line in TABLE[event.type](event, chat):
                yield event, line, ALL


def _message(number: int, event: Event, line: Line, visibility: str, people: dict[str, Any]) -> dict[str, Any]:
    # Who left a note without taking part has no number.
    sender = people.get(line.who) or {"nickname": line.name, "participantId": "", "type": AGENT}
    said = {"text": line.text} if line.text else {}
    return {
        "index": number,
        "type": line.type,
        **said,
        "from": sender,
        "visibility": visibility,
        "timestamp": stamp(event.at),
        "timestampSeconds": int(event.at.timestamp() * 1000),  # milliseconds in fact, there as here
    }


def _participant(number: str, nickname: str, kind: str) -> dict[str, Any]:
    return {"id": number, "nickname": nickname, "participantId": number, "type": kind}


def _came_at(participant: Participant) -> tuple[Any, Any]:
    return participant.joined_at, participant.pk
