"""Our event → the messages that their clients hear, in this order. A table: every event of the log has its row."""

from collections.abc import Callable
from typing import Any

from .people import AGENT, BOT, Conversation, person
from .shapes import ADDED, END, HAND_OFF, JOINED, LEFT, NOBODY, REMOVED, activity, chat_message, message_id

Messages = list[dict[str, Any]]
Words = Callable[[Conversation, dict[str, Any]], Messages]

# An agent's own doing; everything else is done to it.
OWN_JOINING = frozenset({"accepted", "picked", "reopened", "guest"})
OWN_LEAVING = frozenset({"left", "returned", "guest"})


def words_for(conversation: Conversation, event: dict[str, Any]) -> Messages:
    """What a client hears of one event as customers see it (chats.shapes.event_for_customer); the conversation learns from it."""
    conversation.learn(event)
    return TABLE[event["type"]](conversation, event)


def _message(conversation: Conversation, event: dict[str, Any]) -> Messages:
    return [chat_message(conversation, event)]


def _system(kind: str) -> Words:
    return lambda conversation, event: [_activity(conversation, kind, conversation.system(), event)]


def _joined(conversation: Conversation, event: dict[str, Any]) -> Messages:
    """Added is what the house does, joined what the agent does: clients that know only one of them learn of it, too."""
    agent = _agent(event)
    kinds = [ADDED, JOINED] if event["data"]["reason"] in OWN_JOINING else [ADDED]
    return [_activity(conversation, kind, agent, event) for kind in kinds]


def _left(conversation: Conversation, event: dict[str, Any]) -> Messages:
    agent = _agent(event)
    kinds = [LEFT, REMOVED] if event["data"]["reason"] in OWN_LEAVING else [REMOVED]
    return [_activity(conversation, kind, agent, event) for kind in kinds]


def _closed(conversation: Conversation, event: dict[str, Any]) -> Messages:
    who = conversation.system() if event["data"]["by"] == "system" else conversation.sender_of(event)
    info = {"by": event["data"]["by"], "reason": event["data"]["reason"]}
    return [activity(conversation, END, who, info=info, at=event["at"], event_id=_id(conversation, event))]


def _silent(_conversation: Conversation, _event: dict[str, Any]) -> Messages:
    return []


def _agent(event: dict[str, Any]) -> dict[str, Any]:
    kind = BOT if event["sender"]["kind"] == "bot" else AGENT
    return person(event["data"]["agent"], event["data"]["name"], kind)


def _activity(conversation: Conversation, kind: str, who: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    return activity(conversation, kind, who, at=event["at"], event_id=_id(conversation, event))


def _id(conversation: Conversation, event: dict[str, Any]) -> str:
    return message_id(conversation, event["index"])


TABLE: dict[str, Words] = {
    "message.posted": _message,
    "customer.reminded": _message,
    "chat.queued": _system(HAND_OFF),
    "search.failed": _system(NOBODY),
    "agent.joined": _joined,
    "agent.left": _left,
    "chat.closed": _closed,
    # Public, and told in no words of theirs: greetings and the customer's own coming are told by joining.
    "chat.started": _silent,
    "chat.transferred": _silent,
    "chat.reopened": _silent,
}
