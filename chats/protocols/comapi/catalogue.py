"""Which events web hooks may ask for, by what each can be filtered, and what its payload looks like: a table, for availableevents and for whoever files.

chat.teamUpdated, chat.participantAdded, chat.participantRemoved and chat.update are guesses by analogy with conversation.*: the vendor's
list of chat events ends before them.
"""

from dataclasses import dataclass, field
from typing import Any

TEXT, NUMBER, FLAG, OBJECT, LIST = "string", "integer", "boolean", "object", "array"
OF_CHAT = {"chatId": "payload.id", "teamId": "payload.teamId", "channelId": "payload.channelId"}
OF_CONVERSATION = {"conversationId": "payload.id"}
OF_MEMBER = {"conversationId": "payload.conversationId", "profileId": "payload.profileId"}
OF_PROFILE = {"profileId": "payload.id"}
TWO = {"chatId": "payload.id", "profileId": "payload.profileId"}


@dataclass(frozen=True)
class Offer:
    """One event. filters: name → path in the call's body; payload: member → JSON type, None where there is no payload."""

    description: str
    filters: dict[str, str] = field(default_factory=dict)
    payload: dict[str, str] | None = None


def _only(filters: dict[str, str], *names: str) -> dict[str, str]:
    return {name: filters[name] for name in names}


_MESSAGE = {"id": TEXT, "metadata": OBJECT, "context": OBJECT, "parts": LIST}
_STATUS = {"messageId": TEXT, "conversationId": TEXT, "profileId": TEXT, "timestamp": TEXT}
_PROFILE = {"id": TEXT}
_CONVERSATION = {"id": TEXT, "name": TEXT, "description": TEXT}

OFFERS: dict[str, Offer] = {
    "chat.create": Offer(
        "A chat has begun.",
        OF_CHAT,
        {
            "id": TEXT,
            "name": TEXT,
            "description": TEXT,
            "teamId": TEXT,
            "channelId": TEXT,
            "participants": LIST,
            "context": OBJECT,
        },
    ),
    "chat.update": Offer(
        "A chat's name or description was changed, or it was opened again.",
        OF_CHAT,
        {"id": TEXT, "name": TEXT, "description": TEXT, "teamId": TEXT, "channelId": TEXT, "status": TEXT},
    ),
    "chat.closed": Offer(
        "A chat was closed.",
        _only(OF_CHAT, "chatId", "teamId"),
        {"id": TEXT, "teamId": TEXT, "bypassMessage": FLAG, "closeTimeSecs": NUMBER},
    ),
    "chat.delete": Offer("A chat was deleted.", _only(OF_CHAT, "chatId"), {"id": TEXT, "date": TEXT, "by": TEXT}),
    "chat.channelUpdated": Offer(
        "A chat goes on over another channel.",
        _only(OF_CHAT, "chatId", "channelId"),
        {"id": TEXT, "channelId": TEXT},
    ),
    "chat.teamUpdated": Offer(
        "A chat was handed to another team.", _only(OF_CHAT, "chatId", "teamId"), {"id": TEXT, "teamId": TEXT}
    ),
    "chat.participantAdded": Offer("An agent has taken a chat.", TWO, {"id": TEXT, "profileId": TEXT, "role": TEXT}),
    "chat.participantRemoved": Offer("An agent has left a chat.", TWO, {"id": TEXT, "profileId": TEXT, "role": TEXT}),
    "chatMessage.sent": Offer(
        "Something was said in a chat, by either side or by a bot.",
        {
            "chatId": "payload.context.chatId",
            "teamId": "payload.context.teamId",
            "direction": "payload.context.direction",
        },
        _MESSAGE,
    ),
    "presence.available": Offer("An agent is there.", {"profileId": "profileId"}),
    "presence.away": Offer("An agent is away.", {"profileId": "profileId"}),
    "presence.offline": Offer("An agent has gone.", {"profileId": "profileId"}),
    "profile.create": Offer("A profile was made.", OF_PROFILE, _PROFILE),
    "profile.update": Offer("A profile was changed.", OF_PROFILE, _PROFILE),
    "profile.delete": Offer("A profile was deleted.", OF_PROFILE, _PROFILE),
    "profile.undelete": Offer("A deleted profile is there again.", OF_PROFILE, _PROFILE),
    "profile.devicesUpdated": Offer("A profile's devices have changed.", OF_PROFILE, {"id": TEXT, "devices": LIST}),
    "conversation.create": Offer("A conversation was made.", OF_CONVERSATION, _CONVERSATION),
    "conversation.update": Offer("A conversation was changed.", OF_CONVERSATION, _CONVERSATION),
    "conversation.delete": Offer("A conversation was deleted.", OF_CONVERSATION, {"id": TEXT, "date": TEXT}),
    "conversation.undelete": Offer("A deleted conversation is there again.", OF_CONVERSATION, _CONVERSATION),
    "conversation.participantAdded": Offer(
        "Somebody takes part in a conversation.", OF_MEMBER, {"conversationId": TEXT, "profileId": TEXT, "role": TEXT}
    ),
    "conversation.participantRemoved": Offer(
        "Somebody has left a conversation.", OF_MEMBER, {"conversationId": TEXT, "profileId": TEXT}
    ),
    "conversationMessage.sent": Offer(
        "Something was said in a conversation.", {"conversationId": "payload.context.conversationId"}, _MESSAGE
    ),
    "conversationMessage.delivered": Offer("A message has reached somebody.", OF_MEMBER, _STATUS),
    "conversationMessage.read": Offer("Somebody has read a message.", OF_MEMBER, _STATUS),
}
TEMPLATES = (
    ("Chats", "What happens to chats and what is said in them.", ("chat.", "chatMessage.")),
    ("Chat messages", "What is said in chats.", ("chatMessage.",)),
    ("Agents' presence", "Agents come and go.", ("presence.",)),
    ("Profiles", "Customers' profiles.", ("profile.",)),
    ("App Messaging", "Conversations of customers' apps.", ("conversation.", "conversationMessage.")),
)


def shown_events(*, with_schemas: bool) -> list[dict[str, Any]]:
    """[{type, description, filters: [{name, path, required, description}]}], each with its JSON schema if wanted."""
    return [
        _shown(name, offer) | ({"schema": _schema(offer)} if with_schemas else {}) for name, offer in OFFERS.items()
    ]


def shown_templates() -> list[dict[str, Any]]:
    """[{name, description, events}]"""
    return [
        {"name": name, "description": why, "events": [one for one in OFFERS if one.startswith(families)]}
        for name, why, families in TEMPLATES
    ]


def _shown(name: str, offer: Offer) -> dict[str, Any]:
    filters = [
        {"name": one, "path": path, "required": False, "description": f"Only where {path} is this."}
        for one, path in offer.filters.items()
    ]
    return {"type": name, "description": offer.description, "filters": filters}


def _schema(offer: Offer) -> dict[str, Any]:
    """Of the whole body of a call."""
    members: dict[str, Any] = {key: {"type": TEXT} for key in ("eventId", "apiSpaceId", "name", "timestamp")}
    members["accountId"] = {"type": NUMBER}
    if offer.payload is None:
        members["profileId"] = {"type": TEXT}
    else:
        properties = {name: {"type": kind} for name, kind in offer.payload.items()}
        members["payload"] = {"type": OBJECT, "properties": properties}
        members["revision"], members["etag"] = {"type": NUMBER}, {"type": TEXT}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "type": OBJECT, "properties": members}
