"""The statements of the hot path, written by hand: a message is posted by these and by nothing else that the ORM compiles anew each time.

Each has one text for any number of rows, so that PostgreSQL plans it once for a connection, and takes its rows as one value. Several go in one round trip
(contactcenter.wire). That plan is kept, and tables grow: so the texts leave PostgreSQL no choice but a look-up by key for each row, however small a table
is when it is planned.
What is read comes back as the rows that the ORM would have made. Rules, refusals, numbers and listeners are where they always are (chats.actions.post, chats.events).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, models

from agents.models import Presence
from contactcenter import wire
from contactcenter.prepared import new_instance, server_cursor

from .chat import Chat, Participant
from .event import Event
from .foreign import ForeignChat, ForeignLine
from .invitation import Invitation, Occupation
from .queue import Queue

Row = TypeVar("Row", bound=models.Model)
Rows = Sequence[dict[str, Any]]  # column → value

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
    chats = _CHATS_FREE if skip_locked else _CHATS
    if not wire.is_usable():
        return chats.rows(ids), _PARTICIPANTS.rows(senders), _FIRST_TRIES.rows(tries)
    found = wire.ask(chats.asked(ids), _PARTICIPANTS.asked(senders), _FIRST_TRIES.asked(tries))
    return chats.made(found[0]), _PARTICIPANTS.made(found[1]), _FIRST_TRIES.made(found[2])


def insert_events(events: Sequence[Event], chats: Iterable[Chat] = ()) -> None:
    """Events, and the whole rows of chats that have changed with them and are locked."""
    rows = [_values(event, _EVENTS.fields) for event in events]
    whole = _whole_chats()
    changed = [_values(chat, whole.fields) for chat in chats]
    if rows:
        _EVENTS.write(rows, whole if changed else None, changed)
    else:
        whole.write(changed)


def insert_messages(events: Sequence[Event], chats: Iterable[Chat]) -> None:
    """Events, and what they move on their chats' rows, which are locked."""
    heads = [_values(chat, _HEADS.fields) for chat in chats]
    _EVENTS.write([_values(event, _EVENTS.fields) for event in events], _HEADS, heads)


def insert_chats(chats: Sequence[Chat], customers: Sequence[Participant]) -> None:
    """New chats, and their customers' parts in them."""
    _whole_rows(Chat).write(_whole_values(chats), _whole_rows(Participant), _whole_values(customers))
    for row in (*chats, *customers):
        row._state.adding = False


def insert_seat(seat: Participant) -> None:
    """An agent's part in a chat, unless somebody else has just written it."""
    _seats().write(_whole_values([seat]))


def insert_offer(invitation: Invitation) -> None:
    _insert(invitation)


def insert_occupation(occupation: Occupation) -> None:
    _insert(occupation)


def save_ending(invitation: Invitation) -> None:
    """How and when an invitation has ended."""
    _ENDED.write([_values(invitation, _ENDED.fields)])


def save_hold(occupation: Occupation) -> None:
    """What an occupation that is no longer an offer has changed."""
    _HELD.write([_values(occupation, _HELD.fields)])


def save_assigned(agent_id: UUID, now: datetime) -> None:
    """The agent was given a chat."""
    _ASSIGNED.write([{"agent_id": agent_id, "last_assigned_at": now, "idle_since": None}])


def save_pace(queue: Queue) -> None:
    """How fast a locked queue moves."""
    _PACES.write([_values(queue, _PACES.fields)])


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
    _LINES.write([_values(line, _LINES.fields) for line in lines])


def save_foreign(rows: Iterable[ForeignChat]) -> None:
    """What a message moves on the foreign chat's row, which its chat's lock keeps."""
    _FOREIGN_HEADS.write([_values(row, _FOREIGN_HEADS.fields) for row in rows])


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
            [json.dumps(list(center_ids), default=_lite_word if is_lite else str)],
        )
        return cursor.fetchone() is not None


# Reading ------------------------------------------------------------------------------------------------------------------


class Select(Generic[Row]):
    """The rows that are there of those asked for. The one value of both texts is the list of what is asked for, as JSON.

    list_   for PostgreSQL: what follows SELECT, to make columns of the list
    where   finds the row of one line of it, `asked`. It ends in a lock or in OFFSET 0: either keeps PostgreSQL from joining in another way
    lite    for SQLite: what follows SELECT … FROM table
    facts   more to know of each row: attribute → expression
    """

    def __init__(
        self, model: type[Row], *, list_: str, where: str, lite: str, facts: Mapping[str, str] | None = None
    ) -> None:
        self.model, self.list, self.where, self.lite, self.facts = model, list_, where, lite, facts or {}

    def rows(self, wanted: Iterable[Any]) -> list[Row]:
        if wire.is_usable():
            return self.made(wire.ask(self.asked(wanted))[0])
        is_lite = connection.vendor == "sqlite"
        with server_cursor() as cursor:
            cursor.execute(self._text(is_lite), [json.dumps(list(wanted), default=_lite_word if is_lite else str)])
            return self.made(cursor.fetchall())

    def asked(self, wanted: Iterable[Any]) -> wire.Asked:
        return wire.Asked(self._statement, [json.dumps(list(wanted), default=str)])

    def made(self, found: Iterable[Sequence[Any]]) -> list[Row]:
        return [
            new_instance(self.model, zip(self._names, self._converted(list(values)), strict=True)) for values in found
        ]

    @cached_property
    def _statement(self) -> wire.Statement:
        return wire.Statement(self._server_text)

    def _text(self, is_lite: bool) -> str:
        return self._lite_text if is_lite else self._server_text

    @cached_property
    def _lite_text(self) -> str:
        return f"SELECT {self._columns} FROM {self._table} {self.lite}"  # noqa: S608 - our own names

    @cached_property
    def _server_text(self) -> str:
        one = f"SELECT * FROM {self._table} WHERE {self.where}"  # noqa: S608 - our own names
        return f"SELECT {self._columns} FROM (SELECT {self.list}) AS asked, LATERAL ({one}) AS {self._table}"  # noqa: S608

    @cached_property
    def _names(self) -> list[str]:
        return [*(field.attname for field in self.model._meta.concrete_fields), *self.facts]

    @cached_property
    def _table(self) -> str:
        return connection.ops.quote_name(self.model._meta.db_table)

    @cached_property
    def _columns(self) -> str:
        columns = (connection.ops.quote_name(str(field.column)) for field in self.model._meta.concrete_fields)
        return ", ".join([*(f"{self._table}.{column}" for column in columns), *self.facts.values()])

    @cached_property
    def _converters(self) -> list[tuple[int, list[Callable[..., Any]], Any]]:
        """(column, what turns its value into the field's, the expression that these want to know)."""
        found = []
        for number, field in enumerate(self.model._meta.concrete_fields):
            column: Any = field.get_col(self.model._meta.db_table)
            wanted = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
            if wanted:
                found.append((number, wanted, column))
        return found

    def _converted(self, values: list[Any]) -> list[Any]:
        for number, converters, column in self._converters:
            for convert in converters:
                values[number] = convert(values[number], column, connection)
        return values


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
_CHATS, _CHATS_FREE = (
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


class Write:
    """Many rows at once. On PostgreSQL one statement takes them as one JSON; SQLite takes them one by one, which costs it nothing."""

    def __init__(self, model: type[models.Model], names: Sequence[str], *, key: str = "", conflict: str = "") -> None:
        """`key`: rows that are there are updated by it; without one they are inserted. `conflict`: what stands behind such an INSERT."""
        self.model, self.names, self.key, self.conflict = model, list(names), key, conflict

    @cached_property
    def fields(self) -> list[Any]:
        return [self.model._meta.get_field(name) for name in self.names]

    def write(self, rows: Rows, beside: "Write | None" = None, others: Rows = ()) -> None:
        """`others` are written `beside` these, of another table; PostgreSQL is asked once for both."""
        if not rows:
            return
        if wire.is_usable():
            wire.tell(self._told(rows, beside, others))
            return
        with server_cursor() as cursor:
            if connection.vendor != "postgresql":
                cursor.executemany(self._lite_text, self._lite_values(rows))
                if beside:
                    cursor.executemany(beside._lite_text, beside._lite_values(others))
            elif beside:
                text = f"WITH beside AS ({beside._text}) {self._text}"
                cursor.execute(text, [json.dumps(others, default=_word), json.dumps(rows, default=_word)])
            else:
                cursor.execute(self._text, [json.dumps(rows, default=_word)])

    def _told(self, rows: Rows, beside: "Write | None", others: Rows) -> wire.Asked:
        values = [json.dumps(given, default=_word) for given in ([others, rows] if beside else [rows])]
        return wire.Asked(self._statement(beside), values)

    @cache  # noqa: B019 - a handful of them, which live as long as the process
    def _statement(self, beside: "Write | None") -> wire.Statement:
        return wire.Statement(f"WITH beside AS ({beside._text}) {self._text}" if beside else self._text)

    def _lite_values(self, rows: Rows) -> list[list[Any]]:
        return [[self._prepared(field, row) for field in self._in_order] for row in rows]

    @cached_property
    def _text(self) -> str:
        quote = connection.ops.quote_name
        columns = [quote(field.column) for field in self.fields]
        typed = ", ".join(
            f"{column} {field.db_type(connection)}" for column, field in zip(columns, self.fields, strict=True)
        )
        source = f"json_to_recordset(%s::json) AS given({typed})"
        table = quote(self.model._meta.db_table)
        if not self.key:
            return (
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {source} {self.conflict}"  # noqa: S608
            )
        key = quote(self.key)
        changed = ", ".join(f"{column} = given.{column}" for column in columns if column != key)
        # Any id lies between these, but few, the planner believes: it looks each row up instead of reading a small table whole.
        found = f"{table}.{key} = given.{key} AND given.{key} BETWEEN '{UUID(int=0)}' AND '{UUID(int=2**128 - 1)}'"
        return f"UPDATE {table} SET {changed} FROM {source} WHERE {found}"  # noqa: S608

    @cached_property
    def _lite_text(self) -> str:
        quote = connection.ops.quote_name
        table, columns = quote(self.model._meta.db_table), [quote(field.column) for field in self._in_order]
        if not self.key:
            values = ", ".join(["%s"] * len(columns))
            return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) {self.conflict}"  # noqa: S608
        changed = ", ".join(f"{column} = %s" for column in columns[:-1])
        return f"UPDATE {table} SET {changed} WHERE {columns[-1]} = %s"  # noqa: S608

    @property
    def _in_order(self) -> list[Any]:
        """As SQLite's texts want them: the key last."""
        return [
            *(field for field in self.fields if field.column != self.key),
            *(f for f in self.fields if f.column == self.key),
        ]

    @staticmethod
    def _prepared(field: Any, row: dict[str, Any]) -> Any:
        return field.get_db_prep_save(row[field.column], connection)


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
    _whole_rows(type(row)).write(_whole_values([row]))
    row._state.adding = False


def _whole_values(rows: Iterable[models.Model]) -> list[dict[str, Any]]:
    return [_values(row, _whole_rows(type(row)).fields) for row in rows]


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


def _values(row: Any, fields: Iterable[Any]) -> dict[str, Any]:
    return {field.column: getattr(row, field.attname) for field in fields}


def _word(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _lite_word(value: Any) -> str:
    """As SQLite keeps ids."""
    return value.hex if isinstance(value, UUID) else str(value)
