"""chats:assign: before an agent is chosen, the application's server may name one."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.utils import timezone

from chats.models import Chat, ForeignChat, Webhook
from chats.outbox.ask import ask

from .reach import as_id
from .subscribers import body_of, hooks_of

TRIGGER = "chats:assign"
SECONDS = 5.0  # fixed by the vendor; here for all web hooks together
# No page says which it is.
NAMES = ("agent", "agentId", "agent_id", "user", "userId", "user_id", "id", "data", "result")
DEPTH = 3


def advise(chat: Chat) -> UUID | None:
    """routing.search's adviser: whom the first web hook that names somebody names. Not within a transaction."""
    until = time.monotonic() + SECONDS
    for webhook, data in _questions(chat):
        left = until - time.monotonic()
        if left <= 0:
            break
        answer = ask(webhook, TRIGGER, body_of(webhook, TRIGGER, data, timezone.now()), timeout=left)
        named = next(ids_in(answer), None)
        if named is not None:
            return named
    return None


def asks_first(chat: Chat) -> bool:
    """Whether somebody outside is asked before this chat's agent is chosen, which may take seconds."""
    return bool(_questions(chat))


def _questions(chat: Chat) -> list[tuple[Webhook, dict[str, Any]]]:
    """Who is asked about this chat, and the data. Always as the database has it now: whoever has just registered is asked."""
    foreign = ForeignChat.objects.filter(chat=chat).first() if chat.is_foreign else None
    if foreign is None:
        return []
    data = {
        "chatId": str(chat.pk),
        "creator": str(chat.customer_id),
        "room": foreign.facts.get("room"),
        "lang": chat.language,
    }
    return [(webhook, data) for webhook in hooks_of([foreign.registration_id], TRIGGER)]


def ids_in(answer: Any, depth: int = DEPTH) -> Iterator[UUID]:
    """Ids in an answer to chats:assign: the text itself, or what stands under one of NAMES, also within an object."""
    found = as_id(answer.strip()) if isinstance(answer, str) else None
    if found is not None:
        yield found
    if isinstance(answer, dict) and depth:
        for name in NAMES:
            yield from ids_in(answer.get(name), depth - 1)
