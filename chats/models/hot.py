"""The statements of the hot path, written by hand: a message is posted by these and by nothing else that the ORM compiles anew each time.

Each has one text for any number of rows, so that PostgreSQL plans it once for a connection, and takes its rows as one value. Several go in one round trip
(contactcenter.wire). That plan is kept, and tables grow: so the texts leave PostgreSQL no choice but a look-up by key for each row, however small a table
is when it is planned.
What is read comes back as the rows that the ORM would have made. Rules, refusals, numbers and listeners are where they always are (chats.actions.post, chats.events).
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import connection, models

from agents.models import Presence
from contactcenter import wire
from contactcenter.prepared import server_cursor
from contactcenter.statements import Select, Write, lite_word

from .chat import Chat, Participant
from .customer import Customer
from .event import Event
from .foreign import ForeignChat, ForeignLine
from .invitation import Invitation, Occupation
from .queue import Queue

HEAD_FIELDS = (
    "position",
    "index",
    "last_text",
    "last_text_at",
    "last_sender_kind",
    "unread",
    "last_customer_at",
    "last_agent_at",
    "first_answered_at",
    "waiting_since",
    "reminded_at",
    "pace_at",
)


def lock_chats(
    ids: Iterable[UUID], senders: Iterable[UUID], tries: Iterable[tuple[UUID, str]], *, skip_locked: bool
) -> tuple[list[Chat], list[Participant], list[Event]]:
    """The chats, locked in id order, so that two writers of several chats never wait for each other; then their senders; then the events that senders
    have made under these ids, each of them one look-up in the unique index. What is read after the lock is read by statements of their own: a first try
    that another process committed while we waited is seen."""
    chats = FREE_CHATS if skip_locked else CHATS
    if not wire.is_usable():
        return chats.rows(ids), _PARTICIPANTS.rows(senders), _FIRST_TRIES.rows(tries)
    found = wire.ask(chats.asked(ids), _PARTICIPANTS.asked(senders), _FIRST_TRIES.asked(tries))
    return chats.made(found[0]), _PARTICIPANTS.made(found[1]), _FIRST_TRIES.made(found[2])


def insert_events(events: Sequence[Event], chats: Iterable[Chat] = ()) -> None:
    """Events, and the whole rows of chats that have changed with them and are locked."""
    rows = _EVENTS.values(events)
    whole = _whole_chats()
    changed = whole.values(chats)
    if rows:
        _EVENTS.write(rows, whole if changed else None, changed)
    else:
        whole.write(changed)


def insert_messages(events: Sequence[Event], chats: Iterable[Chat]) -> None:
    """Events, and what they move on their chats' rows, which are locked."""
    _EVENTS.write(_EVENTS.values(events), _HEADS, _HEADS.values(chats))


def insert_chats(chats: Sequence[Chat], customers: Sequence[Participant]) -> None:
    """New chats, and their customers' parts in them."""
    _whole_rows(Chat).write(
        _whole_rows(Chat).values(chats), _whole_rows(Participant), _whole_rows(Participant).values(customers)
    )
    for row in (*chats, *customers):
        row._state.adding = False


def insert_seat(seat: Participant) -> None:
    """An agent's part in a chat, unless somebody else has just written it."""
    _seats().keep(seat)


def insert_offer(invitation: Invitation) -> None:
    _insert(invitation)


def insert_occupation(occupation: Occupation) -> None:
    _insert(occupation)


def save_ending(invitation: Invitation) -> None:
    """How and when an invitation has ended."""
    _ENDED.keep(invitation)


def save_hold(occupation: Occupation) -> None:
    """What an occupation that is no longer an offer has changed."""
    _HELD.keep(occupation)


def save_assigned(agent_id: UUID, now: datetime) -> None:
    """The agent was given a chat."""
    _ASSIGNED.write([{"agent_id": agent_id, "last_assigned_at": now, "idle_since": None}])


def save_pace(queue: Queue) -> None:
    """How fast a locked queue moves."""
    _PACES.keep(queue)


def make_due(queue: Queue) -> bool:
    """Write when a team's queue is to be routed, and the row itself where the team has none. False where PostgreSQL is not spoken to in this way."""
    if wire.is_usable():
        wire.tell(wire.Asked(_DUE, [queue.pk, queue.routing_due_at, queue.team_id]))
    return wire.is_usable()


_DUE = wire.Statement(
    "INSERT INTO chats_queue (id, center_id, team_id, routing_due_at) "
    "SELECT %s::uuid, center_id, id, %s::timestamptz FROM contactcenter_team WHERE id = %s::uuid "
    "ON CONFLICT (team_id) DO UPDATE SET routing_due_at = EXCLUDED.routing_due_at"
)


def load_numbered(chat_ids: Iterable[UUID]) -> list[ForeignChat]:
    """The foreign rows of those of these chats whose API numbers lines of its own (ForeignLine)."""
    return _NUMBERED.rows(chat_ids)


def insert_lines(lines: Sequence[ForeignLine]) -> None:
    _LINES.keep(*lines)


def save_foreign(rows: Iterable[ForeignChat]) -> None:
    """What a message moves on the foreign chat's row, which its chat's lock keeps."""
    _FOREIGN_HEADS.keep(*rows)


def centers_with(model: type[models.Model], center_ids: Iterable[UUID]) -> bool:
    """Whether any of these centers has such rows at all."""
    is_lite = connection.vendor == "sqlite"
    table = connection.ops.quote_name(model._meta.db_table)
    asked = (
        "SELECT value FROM json_each(%s)" if is_lite else "SELECT value::uuid FROM json_array_elements_text(%s::json)"
    )
    with server_cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE center_id IN ({asked}) LIMIT 1",  # noqa: S608 - our own names
            [json.dumps(list(center_ids), default=lite_word if is_lite else str)],
        )
        return cursor.fetchone() is not None


# Reading ------------------------------------------------------------------------------------------------------------------

_IDS = "value::uuid AS id FROM json_array_elements_text(%s::json)"
_LITE_IDS = "IN (SELECT value FROM json_each(%s))"
_NUMBERING = "registration_id IN (SELECT id FROM contactcenter_registration WHERE protocol = 'genesys')"
# No EXISTS: the planner may answer that for many rows by reading the other table whole.
_KNOWN = {
    "may_have_webhooks": "(SELECT 1 FROM chats_webhook WHERE center_id = chats_chat.center_id LIMIT 1) IS NOT NULL",
    "may_be_numbered": "CASE WHEN chats_chat.is_foreign THEN "  # noqa: S608 - our own names
    f"(SELECT 1 FROM chats_foreignchat WHERE chat_id = chats_chat.id AND {_NUMBERING} LIMIT 1) IS NOT NULL "
    "ELSE false END",
}
CHATS, FREE_CHATS = (
    # The lines of what is asked come sorted, and each is locked in its turn.
    Select(
        Chat,
        list_=f"{_IDS} ORDER BY 1",
        where=f"id = asked.id {lock}",
        lite=f"WHERE id {_LITE_IDS} ORDER BY id",
        facts=_KNOWN,
    )
    for lock in ("FOR NO KEY UPDATE", "FOR NO KEY UPDATE SKIP LOCKED")
)
# Those that nobody else has locked, locked.
FREE_CUSTOMERS = Select(
    Customer,
    list_=f"{_IDS} ORDER BY 1",
    where="id = asked.id FOR NO KEY UPDATE SKIP LOCKED",
    lite=f"WHERE id {_LITE_IDS}",
)
_PARTICIPANTS = Select(Participant, list_=_IDS, where="id = asked.id OFFSET 0", lite=f"WHERE id {_LITE_IDS}")
_NUMBERED = Select(
    ForeignChat,
    list_=_IDS,
    where=f"chat_id = asked.id AND {_NUMBERING} OFFSET 0",
    lite=f"WHERE {_NUMBERING} AND chat_id {_LITE_IDS}",
)
_FIRST_TRIES = Select(
    Event,
    list_="(value->>0)::uuid AS sender, value->>1 AS client FROM json_array_elements(%s::json)",
    where="sender_id = asked.sender AND client_id = asked.client OFFSET 0",
    lite="JOIN json_each(%s) AS asked "
    "ON sender_id = json_extract(asked.value, '$[0]') AND client_id = json_extract(asked.value, '$[1]')",
)


# Writing ------------------------------------------------------------------------------------------------------------------

_EVENTS = Write(
    Event,
    (
        "center",
        "chat",
        "position",
        "index",
        "type",
        "sender",
        "sender_kind",
        "sender_name",
        "client_id",
        "text",
        "data",
        "at",
    ),
)
_HEADS = Write(Chat, ("id", *HEAD_FIELDS), key="id")
_ENDED = Write(Invitation, ("id", "state", "ended_at"), key="id")
_HELD = Write(Occupation, ("id", "invitation", "since"), key="id")
_ASSIGNED = Write(Presence, ("agent", "last_assigned_at", "idle_since"), key="agent_id")
_PACES = Write(Queue, ("id", "seconds_per_chat", "moved_at"), key="id")
_LINES = Write(ForeignLine, ("foreign_chat", "center", "number", "type", "position", "data", "at"))
_FOREIGN_HEADS = Write(ForeignChat, ("id", "head", "facts"), key="id")


def _insert(row: models.Model) -> None:
    _whole_rows(type(row)).keep(row)
    row._state.adding = False


@cache
def _whole_rows(model: type[models.Model]) -> Write:
    return Write(model, [field.name for field in model._meta.concrete_fields])


@cache
def _seats() -> Write:
    names = [field.name for field in Participant._meta.concrete_fields]
    return Write(Participant, names, conflict="ON CONFLICT (chat_id, agent_id) DO NOTHING")


@cache
def _whole_chats() -> Write:
    return Write(Chat, [field.name for field in Chat._meta.concrete_fields], key="id")
