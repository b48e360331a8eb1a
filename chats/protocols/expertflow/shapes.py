"""Messages and activities as their clients read them. One schema for both directions; `refId` is the account that a message goes to."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing

from chats.models import Chat, Event, ForeignChat, Participant
from chats.shapes import event_for_customer, stamp

from .people import Conversation

CHANNEL, WEB = "channel", "web"  # the fact that keeps a conversation's channel, and what it is where none is kept
SAID = ("message.posted", "customer.reminded")
CHAT, ACTIVITY = "ChatMessage", "ActivityMessage"
WHISPER = "whisper"
FILE_SIGNER = "expertflow.file"
FILE_PATH = "/api/customer/file/"

# Every activity type of both tables of the documentation.
GREETINGS, TYPING, HAND_OFF, NOBODY = "greetings", "typing", "handOff", "noAgentAvailable"
ADDED, REMOVED, JOINED, LEFT, END = (
    "participantAdded",
    "participantRemoved",
    "participantJoined",
    "participantLeft",
    "endOfConversation",
)


# Of one conversation, in conversationInfo: the last ones.
MOST_MESSAGES = 1_000
MOST_CHARACTERS = 1_000_000


def message_id(conversation: Conversation, index: int) -> str:
    """Numbered by what customers see: no hole tells that staff whispered."""
    return f"{conversation.id}-{index}"


def chat_message(conversation: Conversation, event: dict[str, Any]) -> dict[str, Any]:
    """A message.posted or customer.reminded, of an event as customers see it."""
    return {
        "id": message_id(conversation, event["index"]),
        "conversationId": conversation.id,
        "type": CHAT,
        "from": conversation.sender_of(event),
        "to": addressees(conversation, event),
        "text": event["text"],
        "refId": conversation.account,
        "tag": "",
        "attachments": attachments(event),
        "timestamp": event["at"],
    }


def conversation_info(
    foreign: ForeignChat, conversation: Conversation, messages: list[dict[str, Any]]
) -> dict[str, Any]:
    """What conversationInfo carries. The key of the list of participants is singular in the documentation; it stands under both.

    `foreign`: with its chat, the chat's participants, and its connector.
    """
    here = [conversation.part_shown(part) for part in foreign.chat.participants.all() if _is_here(part)]
    return {
        "conversation": conversation_shape(foreign, conversation),
        "messages": messages,
        "participant": here,
        "participants": here,
        "role": "customer",
    }


def conversation_shape(foreign: ForeignChat, conversation: Conversation) -> dict[str, Any]:
    chat = foreign.chat
    return {
        "id": conversation.id,
        "conversationId": conversation.id,
        "channel": foreign.connector.name if foreign.connector else foreign.facts.get(CHANNEL, WEB),
        "refId": conversation.account,
        "subject": chat.subject,
        "language": chat.language,
        "state": "waiting" if chat.is_waiting else str(chat.state),
        "timestamp": stamp(chat.started_at),
        "customer": conversation.customer(),
    }


def said_so_far(conversation: Conversation, chat: Chat, index: int) -> list[dict[str, Any]]:
    """The messages up to this index, oldest first; of a conversation without end the last ones."""
    said = Event.objects.filter(chat=chat, index__lte=index, type__in=SAID).order_by("-index")[:MOST_MESSAGES]
    shown: list[dict[str, Any]] = []
    characters = 0
    for event in said.iterator():
        message = chat_message(conversation, event_for_customer(event))
        characters += len(message["text"]) + len(str(message["attachments"]))
        if shown and characters > MOST_CHARACTERS:
            break
        shown.append(message)
    return shown[::-1]


def _is_here(part: Participant) -> bool:
    is_customer = part.kind == Participant.Kind.CUSTOMER
    return is_customer or (part.joined_at is not None and part.left_at is None)


def activity(
    conversation: Conversation,
    kind: str,
    who: dict[str, Any],
    *,
    info: dict[str, Any] | None = None,
    at: str | datetime,
    event_id: str = "",
) -> dict[str, Any]:
    """`who`: the person whom it is about. `event_id`: of the event that it tells; empty for what the log does not keep."""
    shown: dict[str, Any] = {
        "conversationId": conversation.id,
        "type": ACTIVITY,
        "from": who,
        "to": [],
        "activityType": kind,
        "info": info or {},
        "refId": conversation.account,
        "timestamp": stamp(at) if isinstance(at, datetime) else at,
    }
    return ({"id": event_id} if event_id else {}) | shown


def addressees(conversation: Conversation, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Whom a message is meant for; empty: everybody."""
    return [
        {"id": conversation.agents.get(one["id"], conversation.me), "name": one["name"]}
        for one in event["data"].get("to", [])
    ]


def attachments(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Files that we keep, behind signed addresses, then those that lie elsewhere."""
    kept = [
        {
            "type": file["content_type"],
            "name": file["name"],
            "contentUrl": file_url(file["id"]),
            "thumbnailUrl": file_url(file["id"]) + "?thumb=1" if file.get("width") else "",
        }
        for file in event["attachments"]
    ]
    linked = [
        {"type": link["type"], "name": link["name"], "contentUrl": link["url"], "thumbnailUrl": ""}
        for link in event["data"].get("links", [])
    ]
    return kept + linked


def file_url(file_id: str) -> str:
    """Whoever has it may read the file: a connector hands it on to a customer's phone."""
    return f"{settings.BASE_URL}{FILE_PATH}{signing.Signer(salt=FILE_SIGNER).sign(file_id)}"
