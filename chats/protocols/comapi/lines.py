"""A chat's events as the space numbers them: 0, 1, 2 …, one for each message that was sent, delivered or read.

The log and the participants' cursors are the truth; lines are made of them when somebody asks, with the chat's row locked, so that their
numbers have no holes and never change. A line that is there stays as it is. What is for staff alone never gets one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from chats.doors.bookkeeping import unless_away
from chats.events import CustomerReminded, MessagePosted
from chats.models import Chat, Conversation, Event, Participant, SpaceChat, SpaceLine

from .names import message_id
from .participants import CUSTOMER, Cast
from .status_events import file_marks

SAID = (MessagePosted.type, CustomerReminded.type)
SENT, DELIVERED, READ = SpaceLine.Kind.SENT, SpaceLine.Kind.DELIVERED, SpaceLine.Kind.READ
AT_ONCE = 1000  # events of the log that become lines in one transaction

When = Mapping[str, datetime]  # {profile id: when it says that it has received or read}


@dataclass(frozen=True)
class Mark:
    """How far somebody has received or read what the other side said."""

    profile: str
    kind: str
    index: int
    is_customers: bool


def catch_up(known: SpaceChat, now: datetime, *, said_at: When | None = None) -> SpaceChat:
    """All that the log and the cursors say has its line after this, `known` the heads. Marks are of `now`, or of when their profile says."""
    cast = Cast.of(known)
    while _is_behind(cast):
        _number_some(cast, now, said_at or {})
    return known


def catch_up_to_read(known: SpaceChat, now: datetime) -> None:
    """The same for who only reads: while the database takes no writes, there is what was numbered before."""
    if _is_behind(Cast.of(known)):
        unless_away(lambda: catch_up(known, now))


def _is_behind(cast: Cast) -> bool:
    position = Chat.objects.filter(pk=cast.known.chat_id).values_list("position", flat=True).first() or 0
    return cast.known.told_position < position or any(True for _ in _news(cast, cast.known.marks))


@transaction.atomic
def _number_some(cast: Cast, now: datetime, said_at: When) -> None:
    known = cast.known
    # The chat before its own rows, as everywhere.
    chat = Chat.objects.filter(pk=known.chat_id).locked().get()
    fresh = SpaceChat.objects.select_for_update(no_key=True, of=("self",)).get(pk=known.pk)
    rows = _sent(cast, fresh, chat)
    if fresh.told_position == chat.position:
        for mark in list(_news(cast, fresh.marks)):
            rows += _marked(fresh, mark, at=said_at.get(mark.profile), now=now)
    _number(fresh, rows)
    file_marks(cast, rows)
    for name in ("head", "told_position", "marks"):
        setattr(known, name, getattr(fresh, name))
    known.chat.position = chat.position


def _news(cast: Cast, marks: dict[str, dict[str, int]]) -> Iterator[Mark]:
    """Cursors that have moved beyond what is marked."""
    for one in _readers(cast.known).select_related("agent__user"):
        name = cast.profile_of_part(one)
        told = marks.get(name, {})
        for kind, index in ((DELIVERED, one.delivered_index), (READ, one.read_index)):
            if index > told.get(kind, 0):
                yield Mark(name, kind, index, one.kind == CUSTOMER)


def _readers(known: SpaceChat) -> "QuerySet[Participant]":
    """The customer, the chat's agent and those before it. Guests are none: that they were there, two participants do not show."""
    taking_part = Participant.objects.filter(chat_id=known.chat_id, joined_at__isnull=False, invited_at=None)
    # Who was a guest is known by having read nothing: read marks are the owner's.
    return taking_part.filter(Q(kind=CUSTOMER) | Q(left_at=None) | Q(read_index__gt=0)).order_by("joined_at", "pk")


def _sent(cast: Cast, fresh: SpaceChat, chat: Chat) -> list[SpaceLine]:
    """Lines of what was said since, of at most AT_ONCE events of the log."""
    behind = Event.objects.filter(chat_id=chat.pk, position__gt=fresh.told_position).order_by("position")
    events = list(behind.select_related("sender__agent__user")[:AT_ONCE])
    fresh.told_position = events[-1].position if len(events) == AT_ONCE else chat.position
    # Whatever becomes public, a note stays none: it has no index.
    said = [event for event in events if event.type in SAID and event.index is not None]
    return [line(fresh, SENT, event, cast.profile_of(event), event.at) for event in said]


def _marked(fresh: SpaceChat, mark: Mark, *, at: datetime | None, now: datetime) -> list[SpaceLine]:
    """Lines of what this one has received or read since, of at most AT_ONCE messages; all have their own by now."""
    told = fresh.marks.setdefault(mark.profile, {})
    within = Event.objects.filter(
        chat_id=fresh.chat_id, type__in=SAID, index__gt=told.get(mark.kind, 0), index__lte=mark.index
    )
    theirs = within.exclude(sender_kind=CUSTOMER) if mark.is_customers else within.filter(sender_kind=CUSTOMER)
    events = list(theirs.order_by("index")[:AT_ONCE])
    told[mark.kind] = (events[-1].index or 0) if len(events) == AT_ONCE else mark.index
    # Nobody receives what is not said yet, nor tomorrow.
    return [line(fresh, mark.kind, event, mark.profile, min(max(at or now, event.at), now)) for event in events]


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


def _number(fresh: SpaceChat, rows: Iterable[SpaceLine]) -> None:
    """The chat's next numbers, and its conversation's."""
    numbered = list(rows)
    conversation = None
    if numbered and fresh.conversation_id:
        conversation = Conversation.objects.select_for_update(no_key=True).get(pk=fresh.conversation_id)
    for row in numbered:
        row.number, fresh.head = fresh.head, fresh.head + 1
        if conversation:
            row.conversation_number, conversation.head = conversation.head, conversation.head + 1
    SpaceLine.objects.bulk_create(numbered, batch_size=AT_ONCE)
    fresh.save(update_fields=["head", "told_position", "marks"])
    if conversation:
        conversation.save(update_fields=["head"])
