"""What a chat looks like there. Messages and events: messages.py; who is in a chat: its customer, and its agent if it has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chats.models import Chat, SpaceChat
from contactcenter.models import Registration

from .names import agent_id, channel_id, iso, profile_ids, team_ids

NEW, REPLIED, CLOSED = "new", "replied", "closed"


@dataclass(frozen=True)
class Names:
    """How the teams and customers of some chats are called there, by our ids."""

    teams: dict[UUID, str]
    profiles: dict[UUID, str]


def names_of(registration: Registration, chats: Sequence[SpaceChat]) -> Names:
    """Two queries for any number of chats."""
    teams = {team.pk: team for one in chats for team in (one.chat.team, one.original_team) if team}
    return Names(
        team_ids(registration, teams.values()), profile_ids(registration, {one.chat.customer_id for one in chats})
    )


def chat_shape(known: SpaceChat, names: Names | None = None) -> dict[str, Any]:
    """The Chat of the original's description, with its read-only members. `names`: of many chats, looked up at once."""
    chat = known.chat
    names = names or names_of(known.registration, [known])
    own_name = names.profiles[chat.customer_id]
    shown: dict[str, Any] = {
        "id": str(chat.pk),
        "name": known.name or chat.subject or chat.customer.name or str(chat.customer),
        "description": known.description,
        "teamId": names.teams[chat.team_id],
        "originalTeamId": names.teams[known.original_team_id or chat.team_id],
        "channelId": channel_id(chat.channel),
        "status": status_of(chat),
        "participants": participants(known, names),
        "context": context_of(known),
        "_createdOn": iso(chat.started_at),
        "_createdBy": known.created_by or f"session:{own_name}",
        "_updatedOn": iso(changed_at(known)),
    }
    shown["_updatedBy"] = known.updated_by or shown["_createdBy"]
    return shown


def participants(known: SpaceChat, names: Names | None = None) -> list[dict[str, str]]:
    """Two at most: whom the owner has invited as guests, and who only looks on, are none."""
    chat = known.chat
    names = names or names_of(known.registration, [known])
    found = [{"id": names.profiles[chat.customer_id], "role": "participant"}]
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
    return REPLIED if chat.last_sender_kind in ("agent", "bot", "system") else NEW


def changed_at(known: SpaceChat) -> datetime:
    """When the chat itself was last changed; messages do not change it."""
    chat = known.chat
    times = (chat.started_at, known.updated_at, chat.first_accepted_at, chat.queued_at, chat.closed_at)
    return max(time for time in times if time)
