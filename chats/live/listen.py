"""From what was committed or whispered to announcements. Connected in chats.apps; runs in the thread of whoever wrote."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction

from chats.models import Chat, Event
from chats.shapes import event_for_customer

from . import Payload, hub

# Events that change more than their own chat's log: lists, slots, queues.
FAR_REACHING = ("chat.", "agent.", "guest.", "invitation.", "search.")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(value: Any) -> str:
    """Compact JSON as it goes over the wire."""
    return _encode(value)


def events_frame(chat_id: Any, events: Iterable[dict[str, Any]], head: int) -> str:
    """The frame `events` of both sockets."""
    return _events_frame(chat_id, ",".join(map(to_json, events)), head)


def _events_frame(chat_id: Any, events: str, head: int) -> str:
    return f'{{"type":"events","chat":"{chat_id}","events":[{events}],"head":{head}}}'


def announce_records(records: Iterable[Any], **_: Any) -> None:
    """events.committed: each record's event, to staff and (if public) to the customer, and hints to whom it concerns."""
    told: list[tuple[str, Payload]] = []
    for record in records:
        told += _of_event(record.event)
        if record.event.type.startswith(FAR_REACHING):
            told += _hints(record.chat, record.event)
    hub.announce_all(told)


def announce_whisper(chat_id: Any, whisper: Any, **_: Any) -> None:
    """events.whispered: typing, read and delivered."""
    frame = to_json({"type": whisper.kind, "chat": str(chat_id), **whisper.data})
    payload = {"kind": "whisper", "what": whisper.kind, "data": whisper.data, "frame": frame}
    if whisper.to_staff:
        hub.announce(f"staff:{chat_id}", payload)
    if whisper.to_customer:
        hub.announce(f"customer:{chat_id}", payload)


def announce_availability(agent_id: Any, **_: Any) -> None:
    """agents.signals.availability_changed: within the transaction, so it is told after the commit."""
    payload = {"kind": "hint", "what": "availability"}
    transaction.on_commit(lambda: hub.announce(f"agent:{agent_id}", payload), robust=True)


def announce_owed(connector_id: Any, **_: Any) -> None:
    """actions.connectors: something waits for a connector, or another connection may have become its holder."""
    hub.announce(f"connector:{connector_id}", {"kind": "hint", "what": "owed"})


def announce_profile(sender: Any, foreign: Any, what: str, **_: Any) -> None:
    """actions.profiles.changed: within the transaction, so it is told after the commit. Devices are no part of what apps read."""
    if what != "devicesUpdated":
        _announce_to_app(foreign.customer_id, "profile")


def announce_conversation(sender: Any, conversation: Any, **_: Any) -> None:
    """actions.conversations.changed: the same."""
    _announce_to_app(conversation.profile.customer_id, "conversation")


def _announce_to_app(customer_id: Any, what: str) -> None:
    payload = {"kind": "hint", "what": what}
    transaction.on_commit(lambda: hub.announce(f"app:{customer_id}", payload), robust=True)


def _of_event(event: Event) -> Iterator[tuple[str, Payload]]:
    to_staff, to_customer = f"staff:{event.chat_id}", f"customer:{event.chat_id}"
    is_for_staff = hub.is_wanted(to_staff)
    is_for_customer = event.index is not None and hub.is_wanted(to_customer)
    if not is_for_staff and not is_for_customer:
        return
    said = to_json(event_for_customer(event))
    if is_for_staff:
        # As event_for_staff says it; written once for both.
        frame = _events_frame(event.chat_id, f'{{"position":{event.position},{said[1:]}', event.position)
        yield to_staff, {"kind": "event", "number": event.position, "what": event.type, "frame": frame}
    if is_for_customer:
        frame = _events_frame(event.chat_id, said, event.index or 0)
        yield to_customer, {"kind": "event", "number": event.index, "what": event.type, "frame": frame}


def _hints(chat: Chat, event: Event) -> Iterator[tuple[str, Payload]]:
    topics = {f"team:{chat.team_id}", f"center:{chat.center_id}", f"app:{chat.customer_id}"}
    topics.update(f"agent:{agent}" for agent in (event.data.get("agent"), chat.agent_id) if agent)
    return ((topic, {"kind": "hint", "what": event.type}) for topic in topics if hub.is_wanted(topic))
