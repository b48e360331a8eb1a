"""A chat's events as the space numbers them: 0, 1, 2 …, one for each message that was sent, delivered or read.

The log and the participants' cursors are the truth; lines are made of them when somebody asks, with the chat's row locked, so that their
numbers have no holes and never change. A line that is there stays as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from chats.events import CustomerReminded, MessagePosted
from chats.models import Chat, Conversation, Event, Participant, SpaceChat, SpaceLine

from .names import SYSTEM, agent_id, message_id, profile_id

SAID = (MessagePosted.type, CustomerReminded.type)
SENT, DELIVERED, READ = SpaceLine.Kind.SENT, SpaceLine.Kind.DELIVERED, SpaceLine.Kind.READ
AT_ONCE = 1000  # events of the log that become lines in one transaction


@dataclass(frozen=True)
class Mark:
    """How far somebody has received or read what others said."""

    profile: str
    kind: str
    index: int


def catch_up(known: SpaceChat, now: datetime) -> SpaceChat:
    """All that the log and the cursors say has its line after this. Returns the row as it is now."""
    while _is_behind(known):
        with transaction.atomic():
            # The chat before its own rows, as everywhere.
            chat = Chat.objects.filter(pk=known.chat_id).locked().get()
            fresh = SpaceChat.objects.select_for_update(no_key=True, of=("self",)).get(pk=known.pk)
            rows = _sent(known, fresh, chat)
            rows += _marked(known, fresh, chat, now)
            _number(fresh, rows)
        for name in ("head", "told_position", "marks"):
            setattr(known, name, getattr(fresh, name))
        known.chat.position = chat.position
    return known


def _is_behind(known: SpaceChat) -> bool:
    position = Chat.objects.filter(pk=known.chat_id).values_list("position", flat=True).get()
    return known.told_position < position or any(True for _ in _news(known, known.marks))


def _news(known: SpaceChat, marks: dict[str, dict[str, int]]) -> Iterator[Mark]:
    """Cursors that have moved beyond what is marked."""
    taking_part = Participant.objects.filter(chat_id=known.chat_id, joined_at__isnull=False, invited_at=None)
    for one in taking_part.select_related("agent__user"):
        name = name_of(known, one)
        told = marks.get(name, {})
        for kind, index in ((DELIVERED, one.delivered_index), (READ, one.read_index)):
            if index > told.get(kind, 0):
                yield Mark(name, kind, index)


def _sent(known: SpaceChat, fresh: SpaceChat, chat: Chat) -> list[SpaceLine]:
    """Lines of what was said since, at most AT_ONCE events of the log."""
    behind = Event.objects.filter(chat_id=chat.pk, position__gt=fresh.told_position).order_by("position")
    events = list(behind.select_related("sender__agent__user")[:AT_ONCE])
    fresh.told_position = events[-1].position if len(events) == AT_ONCE else chat.position
    return [line(fresh, SENT, event, name_of(known, event.sender), event.at) for event in events if event.type in SAID]


def _marked(known: SpaceChat, fresh: SpaceChat, chat: Chat, now: datetime) -> list[SpaceLine]:
    """Lines of what was delivered and read since, of messages that have their own by now."""
    if fresh.told_position < chat.position:
        return []
    rows: list[SpaceLine] = []
    for mark in _news(known, fresh.marks):
        told = fresh.marks.setdefault(mark.profile, {})
        within = Event.objects.filter(
            chat_id=chat.pk, type__in=SAID, index__gt=told.get(mark.kind, 0), index__lte=mark.index
        )
        events = within.select_related("sender__agent__user").order_by("index")
        theirs = [event for event in events if name_of(known, event.sender) != mark.profile]
        rows += [line(fresh, mark.kind, event, mark.profile, now) for event in theirs]
        told[mark.kind] = mark.index
    return rows


def line(known: SpaceChat, kind: str, event: Event, profile: str, at: datetime) -> SpaceLine:
    """Not numbered yet."""
    return SpaceLine(
        center_id=known.center_id,
        space_chat=known,
        conversation_id=known.conversation_id,
        kind=kind,
        message_id=message_id(event),
        index=event.index or 0,
        position=event.position,
        profile=profile,
        at=at,
    )


def _number(fresh: SpaceChat, rows: list[SpaceLine]) -> None:
    """The chat's next numbers, and its conversation's."""
    conversation = None
    if rows and fresh.conversation_id:
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=fresh.conversation_id)
    for row in rows:
        row.number, fresh.head = fresh.head, fresh.head + 1
        if conversation:
            row.conversation_number, conversation.head = conversation.head, conversation.head + 1
    SpaceLine.objects.bulk_create(rows)
    fresh.save(update_fields=["head", "told_position", "marks"])
    if conversation:
        conversation.save(update_fields=["head"])


def name_of(known: SpaceChat, sender: Participant | None) -> str:
    """The profile id of who takes part."""
    if sender is None:
        return SYSTEM
    if sender.agent is not None:
        return agent_id(sender.agent)
    return profile_id(known.registration, known.chat.customer)
