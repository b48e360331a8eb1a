"""What was said in a conversation, through all the chats that came and went in it, in the conversation's own numbers.

The same pages and events as a chat has (messages.py), counted by `conversation_number`. A constant number of queries for each chat on a page.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chats.models import Conversation, Event, SpaceChat, SpaceLine

from .callers import Caller
from .message_shapes import CONVERSATION, event_shape, message_shape, orphan_shape, updates_of
from .names import visible_teams
from .participants import Cast

SENT = SpaceLine.Kind.SENT
MOST_LINES = 1000  # of one answer

Said = dict[tuple[UUID, int], Event]  # by chat and position


def page_of(caller: Caller, conversation: Conversation, start: int | None, limit: int) -> dict[str, Any]:
    """{earliestEventId, latestEventId, messages (newest first), orphanedEvents}. `start`: backwards from this event, itself included."""
    lines = _lines_back(lines_of(caller, conversation), conversation.head, start, limit)
    sent = [line for line in lines if line.kind == SENT]
    shown = {line.message_id for line in sent}
    casts, events = casts_of(caller, conversation, lines), events_at(lines)
    reports = SpaceLine.objects.filter(conversation=conversation, message_id__in=shown).exclude(kind=SENT)
    updates = updates_of(reports.order_by("conversation_number"))
    messages = []
    for line in sent:
        cast = casts[line.space_chat_id]
        event = events[cast.known.chat_id, line.position]
        shape = message_shape(cast, line, event, updates.get(str(line.message_id), {}))
        messages.append(shape | {"sentEventId": line.conversation_number})
    return {
        "earliestEventId": lines[-1].conversation_number if lines else 0,
        "latestEventId": lines[0].conversation_number if lines else 0,
        "messages": messages,
        "orphanedEvents": [
            _orphan(casts[line.space_chat_id], line)
            for line in lines[::-1]
            if line.kind != SENT and line.message_id not in shown
        ],
    }


def events_from(caller: Caller, conversation: Conversation, start: int, limit: int) -> list[dict[str, Any]]:
    """Events in their order, from this number on."""
    lines = lines_of(caller, conversation).filter(conversation_number__gte=start)
    found = list(lines.order_by("conversation_number")[: min(limit, MOST_LINES)])
    return shapes_of(casts_of(caller, conversation, found), found)


def lines_of(caller: Caller, conversation: Conversation) -> Any:
    """Its events. A program sees none of chats that are with teams which its application may not use; the customer, who is in them, does."""
    lines = SpaceLine.objects.filter(conversation=conversation)
    if caller.is_program and caller.registration.application.application_teams.exists():
        lines = lines.filter(space_chat__chat__team__in=visible_teams(caller.registration))
    return lines


def shapes_of(casts: dict[UUID, Cast], lines: list[SpaceLine]) -> list[dict[str, Any]]:
    events = events_at(lines)
    found = []
    for line in lines:
        cast = casts[line.space_chat_id]
        event = events[cast.known.chat_id, line.position] if line.kind == SENT else None
        found.append(event_shape(cast, line, event, CONVERSATION))
    return found


def casts_of(caller: Caller, conversation: Conversation, lines: Iterable[SpaceLine]) -> dict[UUID, Cast]:
    """Of the chats of these lines. A chat that has gone on to another conversation is shown as in this one."""
    found = {}
    for known in SpaceChat.objects.loaded().filter(pk__in={line.space_chat_id for line in lines}):
        known.registration, known.conversation = conversation.registration, conversation
        found[known.pk] = Cast.seen_by(caller, known)
    return found


def events_at(lines: Iterable[SpaceLine]) -> Said:
    """What was said: of the lines that were sent."""
    places: dict[UUID, list[int]] = {}
    for line in lines:
        if line.kind == SENT:
            places.setdefault(line.space_chat_id, []).append(line.position)
    chats = dict(SpaceChat.objects.filter(pk__in=places).values_list("pk", "chat_id"))
    found: Said = {}
    for space_chat_id, positions in places.items():
        rows = Event.objects.filter(chat_id=chats[space_chat_id], position__in=positions)
        found |= {(row.chat_id, row.position): row for row in rows.select_related("sender__agent__user")}
    return found


def _lines_back(lines: Any, head: int, start: int | None, limit: int) -> list[SpaceLine]:
    """The events of one page, newest first; it ends with its last message."""
    newest = head - 1 if start is None else min(start, head - 1)
    lines = lines.filter(conversation_number__lte=newest).order_by("-conversation_number")
    last = lines.filter(kind=SENT).values_list("conversation_number", flat=True)[limit - 1 : limit].first()
    if last is not None:
        lines = lines.filter(conversation_number__gte=last)
    return list(lines[:MOST_LINES])


def _orphan(cast: Cast, line: SpaceLine) -> dict[str, Any]:
    shape = orphan_shape(cast, line)
    shape["data"] = shape["data"] | {"eventId": line.conversation_number}
    return shape | {"id": line.conversation_number}
