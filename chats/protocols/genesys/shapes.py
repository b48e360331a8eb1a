"""Chats and messages as Genesys' clients read them. A participantId is a text: one client binds it to a string, another parses it."""

from typing import Any

from chats.models import Chat, ForeignChat, ForeignLine

from .lines import PARTICIPANTS

STATES = {
    Chat.State.SEARCHING: "WaitingForAgent",
    Chat.State.QUEUED: "WaitingForAgent",
    Chat.State.ACTIVE: "Chatting",
    Chat.State.CLOSED: "Idle",
}
CAPABILITIES = ["SendMessage", "SendStartTypingNotification", "SendStopTypingNotification", "Complete"]


def chat_shape(foreign: ForeignChat) -> dict[str, Any]:
    """{id, state, capabilities, participants}: operations that are valid now, everybody who has taken part."""
    participants = foreign.facts.get(PARTICIPANTS, {}).values()
    return {
        "id": foreign.external_id,
        "state": STATES[Chat.State(foreign.chat.state)],
        "capabilities": CAPABILITIES if foreign.chat.is_open else [],
        "participants": sorted(participants, key=lambda one: int(one["participantId"])),
    }


def message_shape(line: ForeignLine) -> dict[str, Any]:
    """{from, index, type, text?}."""
    return {"from": line.data["from"], "index": line.number, "type": line.type} | (
        {"text": line.data["text"]} if "text" in line.data else {}
    )
