"""That somebody has received or read a message of a conversation, for the space's web hooks: told when it gets its number (lines.py)."""

from collections.abc import Iterable
from uuid import UUID

from chats.models import SpaceLine
from chats.outbox.filing import file
from contactcenter.models import ApiSpace

from .envelopes import Word, envelope
from .message_shapes import CONVERSATION, event_id, marked_payload
from .participants import Cast
from .subscribers import calls, live_hooks, may_hear

NAMES = {kind: f"{CONVERSATION}.{kind}" for kind in (SpaceLine.Kind.DELIVERED, SpaceLine.Kind.READ)}


def file_marks(cast: Cast, lines: Iterable[SpaceLine]) -> None:
    """In the transaction that numbers them, with the chat's row locked. No query for chats outside of conversations, one where nobody listens."""
    marked = [line for line in lines if line.kind in NAMES and line.conversation_number is not None]
    if not marked:
        return
    registration = cast.known.registration
    live = live_hooks([registration.pk])
    hooks = [one for one in live if any(may_hear(one, name) for name in NAMES.values())]
    if not hooks:
        return
    space = ApiSpace.of(registration)
    filed = []
    for line in marked:
        name = NAMES[SpaceLine.Kind(line.kind)]
        word = Word(name=name, id=UUID(event_id(line)), at=line.at, payload=marked_payload(cast, line))
        filed += calls(hooks, envelope(registration, space, word), line.space_chat.chat_id)
    file(filed)
