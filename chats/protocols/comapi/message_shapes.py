"""What was said, as clients read it: messages, their parts and contexts, and the numbered events of a chat.

Used by everybody who shows a message: the chat message service, web hooks, App Messaging. Nothing here asks a query, given a Cast
and events with `sender__agent__user`.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote
from uuid import uuid5

from django.conf import settings
from django.core import signing

from chats.models import Event, SpaceLine
from contactcenter.models import Registration

from .names import iso, message_id
from .participants import Cast, facts_of, is_inbound

FILE_SIGNER = "comapi.file"
TEXT = "text/plain"
CHAT, CONVERSATION = "chatMessage", "conversationMessage"  # the first half of events' names

Updates = dict[str, dict[str, Any]]  # {profile id: {status, on}}


# Messages -------------------------------------------------------------------------------------------------------------


def message_shape(cast: Cast, line: SpaceLine, event: Event, updates: Updates) -> dict[str, Any]:
    """MessageComplete. `line`: where it was sent; `updates`: of this message, as updates_of() gives them."""
    shown = {
        "id": str(line.message_id),
        "sentEventId": line.number,
        "metadata": facts_of(event).get("metadata", {}),
        "context": context_of(cast, event),
        "parts": parts_of(event, cast.known.registration),
        "statusUpdates": updates,
    }
    return shown | alert_of(event)


def context_of(cast: Cast, event: Event) -> dict[str, Any]:
    """{from: {id, name}, chatId, conversationId, sentBy, sentOn, direction}. App Messaging's clients read the conversation's id here."""
    return {
        "from": {"id": cast.profile_of(event), "name": cast.name_of(event)},
        "chatId": cast.chat_id,
        "conversationId": cast.conversation_id,
        "sentBy": cast.sent_by(event),
        "sentOn": iso(event.at),
        "direction": direction_of(event),
    }


def direction_of(event: Event) -> str:
    return "inbound" if is_inbound(event) else "outbound"


def alert_of(event: Event) -> dict[str, Any]:
    """{alert}, where the message came with one."""
    alert = facts_of(event).get("alert")
    return {"alert": alert} if alert else {}


def parts_of(event: Event, registration: Registration) -> list[dict[str, Any]]:
    """[{name, type, data or url, size}]: as the client sent them, files behind signed addresses; else made of the text, the files and the links."""
    files = {file["id"]: file for file in event.data.get("attachments", [])}
    kept = facts_of(event).get("parts")
    if kept:
        return [_given_back(part, event, files, registration) for part in kept]
    parts = [_text_part(event.text)] if event.text else []
    parts += [_file_part(file, registration) for file in files.values()]
    return parts + [_link_part(link) for link in event.data.get("links", [])]


def file_url(registration: Registration, file_id: str) -> str:
    """Absolute; whoever has it may read the file."""
    token = signing.Signer(salt=FILE_SIGNER).sign(file_id)
    return f"{settings.BASE_URL}/apispaces/{quote(registration.foreign_id, safe='')}/files/{token}"


def _given_back(
    part: dict[str, Any], event: Event, files: dict[str, dict[str, Any]], registration: Registration
) -> dict[str, Any]:
    """`part`: as asked_messages.py keeps it: `is_text` for the one that is the message's text, `file` for one that we keep."""
    if part.get("is_text"):
        return {name: value for name, value in part.items() if name != "is_text"} | {"data": event.text}
    if "file" in part:
        file = files.get(part["file"])
        return _file_part(file, registration) if file else {"name": part.get("name", ""), "type": part["type"]}
    return dict(part)


def _text_part(text: str) -> dict[str, Any]:
    return {"name": "body", "type": TEXT, "data": text, "size": len(text.encode(errors="replace"))}


def _file_part(file: dict[str, Any], registration: Registration) -> dict[str, Any]:
    return {
        "name": file["name"],
        "type": file["content_type"],
        "url": file_url(registration, file["id"]),
        "size": file["size"],
    }


def _link_part(link: dict[str, Any]) -> dict[str, Any]:
    return {"name": link["name"], "type": link["type"], "url": link["url"]}


# Events ---------------------------------------------------------------------------------------------------------------


def updates_of(lines: Iterable[SpaceLine]) -> dict[str, Updates]:
    """{message id: {profile id: {status, on}}} of lines that were delivered or read; read overrides delivered."""
    found: dict[str, Updates] = {}
    for line in lines:
        if line.kind == SpaceLine.Kind.SENT:
            continue
        of_message = found.setdefault(str(line.message_id), {})
        known = of_message.get(line.profile)
        if known is None or known["status"] != SpaceLine.Kind.READ:
            of_message[line.profile] = {"status": str(line.kind), "on": iso(line.at)}
    return found


def orphan_shape(cast: Cast, line: SpaceLine) -> dict[str, Any]:
    """A delivered or read line whose message stands on another page."""
    data = {"name": str(line.kind), "payload": marked_payload(cast, line), "eventId": line.number}
    return {"id": line.number, "data": data | {"profileId": line.profile}}


def event_shape(cast: Cast, line: SpaceLine, event: Event | None, category: str = CHAT) -> dict[str, Any]:
    """One event, with what the chat's schema has (id, data) and what is on the wire for conversations (eventId, name, payload …) in one.

    `event`: what was said, for a line that was sent. The chat's number stands in `id` and `chatEventId`, the conversation's in its own.
    """
    payload = sent_payload(cast, event) if event is not None else marked_payload(cast, line)
    of_conversation = line.number if line.conversation_number is None else line.conversation_number
    number = line.number if category == CHAT else of_conversation
    return {
        "id": number,
        "eventId": event_id(line),
        "name": f"{category}.{line.kind}",
        "chatId": cast.chat_id,
        "chatEventId": line.number,
        "conversationId": cast.conversation_id,
        "conversationEventId": of_conversation,
        "payload": payload,
        "data": {"name": str(line.kind), "payload": payload, "eventId": number, "profileId": line.profile},
        "publishedOn": iso(line.at),
    }


def sent_payload(cast: Cast, event: Event) -> dict[str, Any]:
    """Of a message on the wire: `messageId`, where a stored one has `id`."""
    return {
        "messageId": str(message_id(event)),
        "metadata": facts_of(event).get("metadata", {}),
        "context": context_of(cast, event),
        "parts": parts_of(event, cast.known.registration),
    } | alert_of(event)


def marked_payload(cast: Cast, line: SpaceLine) -> dict[str, Any]:
    return {
        "messageId": str(line.message_id),
        "chatId": cast.chat_id,
        "conversationId": cast.conversation_id,
        "isPublicConversation": False,
        "profileId": line.profile,
        "timestamp": iso(line.at),
    }


def event_id(line: SpaceLine) -> str:
    """A GUID of its own, always the same for one event."""
    return str(uuid5(line.space_chat_id, str(line.number)))
