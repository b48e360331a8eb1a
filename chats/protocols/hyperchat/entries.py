"""Their entries of an earlier conversation as ours: who wrote, what, when."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from agents.models import Agent
from chats.actions.history import Entry
from chats.errors import NotFound

from .reach import Reach, as_id

ASSISTANT = "assistant"  # who wrote as a bot before the chat came here
BOTS = (ASSISTANT, "bot", "chatbot", "system")
MILLISECONDS = 10**11  # a larger time is no number of seconds


def entries_of(reach: Reach, creator_id: UUID, entries: Iterable[dict[str, Any]]) -> list[Entry]:
    """Their history entries as ours. `assistant` is a bot, an agent's id that agent; everybody else is the customer.

    That an agent said something is believed of servers and agents alone.
    """
    names: dict[str, Agent | None] = {}

    def agent_named(user_id: str) -> Agent | None:
        if user_id not in names:
            names[user_id] = _agent(reach, user_id, creator_id)
        return names[user_id]

    found: list[Entry] = []
    for entry in entries:
        sender = str(entry.get("sender") or "")
        text, at = _text(entry.get("message")), _moment(entry.get("created"))
        agent = agent_named(sender)
        if sender.lower() in BOTS:
            found.append(Entry(kind="bot", text=text, at=at))
        elif agent is not None:
            found.append(Entry(kind="agent", text=text, name=agent.name, at=at))
        else:
            found.append(Entry(kind="customer", text=text, at=at))
    return found


def _agent(reach: Reach, user_id: str, creator_id: UUID) -> Agent | None:
    may_say = reach.caller.is_server or isinstance(reach.caller.user, Agent)
    if not may_say or as_id(user_id) in (None, creator_id):
        return None
    try:
        return reach.agent(user_id)
    except NotFound:
        return None


def _text(message: Any) -> str:
    """A bot's question with its options (`{message, options: [{label}]}`, as JSON within a text, or as it is) becomes lines."""
    found = message
    if isinstance(message, str) and message.lstrip().startswith("{"):
        try:
            found = json.loads(message)
        except (ValueError, RecursionError):
            return message
    if not isinstance(found, dict):
        return "" if found is None else str(found)
    options = found.get("options")
    labels = (
        [option.get("label") for option in options if isinstance(option, dict)] if isinstance(options, list) else []
    )
    said = found.get("message") or found.get("name") or found.get("url") or ""
    return "\n".join(str(line) for line in (said, *(f"– {label}" for label in labels if label)) if line)


def _moment(created: Any) -> datetime | None:
    """Unix seconds, or milliseconds; nothing for what is none of a time that people know."""
    try:
        seconds = float(created)
        seconds = seconds / 1000 if abs(seconds) > MILLISECONDS else seconds
        at = datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return at if 2000 <= at.year < 2100 else None
