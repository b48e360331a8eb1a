"""What a chat looks like there. Messages and events: messages.py; who is in a chat: its customer, and its agent if it has one."""

from datetime import datetime
from typing import Any

from chats.models import Chat, SpaceChat

from .names import agent_id, channel_id, iso, profile_id, team_id

NEW, REPLIED, CLOSED = "new", "replied", "closed"


def chat_shape(known: SpaceChat) -> dict[str, Any]:
    """The Chat of the original's description, with its read-only members."""
    chat, registration = known.chat, known.registration
    shown: dict[str, Any] = {
        "id": str(chat.pk),
        "name": known.name or chat.subject or chat.customer.name or str(chat.customer),
        "description": known.description,
        "teamId": team_id(registration, chat.team),
        "originalTeamId": team_id(registration, known.original_team or chat.team),
        "channelId": channel_id(chat.channel),
        "status": status_of(chat),
        "participants": participants(known),
        "context": context_of(known),
        "_createdOn": iso(chat.started_at),
        "_createdBy": known.created_by or f"session:{profile_id(registration, chat.customer)}",
        "_updatedOn": iso(changed_at(known)),
    }
    shown["_updatedBy"] = known.updated_by or shown["_createdBy"]
    return shown


def participants(known: SpaceChat) -> list[dict[str, str]]:
    """Two at most: whom the owner has invited as guests, and who only looks on, are none."""
    chat = known.chat
    found = [{"id": profile_id(known.registration, chat.customer), "role": "participant"}]
    if chat.agent is not None and chat.state == Chat.State.ACTIVE:
        found.append({"id": agent_id(chat.agent), "role": "agent"})
    return found


def context_of(known: SpaceChat) -> dict[str, Any]:
    if known.conversation is not None:
        return {**known.context, "conversationId": known.conversation.external_id}
    return dict(known.context)


def status_of(chat: Chat) -> str:
    """new: the customer has had no answer to what was said last; replied: said by our side."""
    if not chat.is_open:
        return CLOSED
    return REPLIED if chat.last_sender_kind in ("agent", "system") else NEW


def changed_at(known: SpaceChat) -> datetime:
    """When the chat itself was last changed; messages do not change it."""
    chat = known.chat
    times = (chat.started_at, known.updated_at, chat.first_accepted_at, chat.queued_at, chat.closed_at)
    return max(time for time in times if time)
