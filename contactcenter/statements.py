"""The two kinds of statement of which the hot path is made (chats.models.hot): one text for any number of rows, which come as one value.

A Select finds the rows that are there of those asked for; a Write inserts or updates many at once. Which rows and columns is said once, where they are named.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, models

from . import wire
from .prepared import new_instance, read, server_cursor, word

Row = TypeVar("Row", bound=models.Model)
Rows = Sequence[dict[str, Any]]  # column → value


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
        return self.made(self.found(wanted))

    def plan(self) -> "Select[Row]":
        """For `found_together`: each of its lists of values is one of what is wanted."""
        return self

    def found(self, wanted: Iterable[Any]) -> Iterable[Sequence[Any]]:
        if wire.is_usable():
            return wire.ask(self.asked(wanted))[0]
        is_lite = connection.vendor == "sqlite"
        return read(self._text(is_lite), [json.dumps(list(wanted), default=lite_word if is_lite else str)])

    def asked_all(self, lists: Sequence[Iterable[Any]]) -> list[wire.Asked]:
        return [self.asked(wanted) for wanted in lists]

    def parted(self, found: list[wire.Rows], _size: int) -> list[wire.Rows]:
        return found

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


class Write:
    """Many rows at once. On PostgreSQL one statement takes them as one JSON; SQLite takes them one by one, which costs it nothing."""

    def __init__(self, model: type[models.Model], names: Sequence[str], *, key: str = "", conflict: str = "") -> None:
        """`key`: rows that are there are updated by it; without one they are inserted. `conflict`: what stands behind such an INSERT."""
        self.model, self.names, self.key, self.conflict = model, list(names), key, conflict

    @cached_property
    def fields(self) -> list[Any]:
        return [self.model._meta.get_field(name) for name in self.names]

    def values(self, objects: Iterable[models.Model]) -> Rows:
        """What `write` takes of these."""
        return [{field.column: getattr(row, field.attname) for field in self.fields} for row in objects]

    def keep(self, *objects: models.Model) -> None:
        self.write(self.values(objects))

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
                cursor.execute(text, [json.dumps(others, default=word), json.dumps(rows, default=word)])
            else:
                cursor.execute(self._text, [json.dumps(rows, default=word)])

    def _told(self, rows: Rows, beside: "Write | None", others: Rows) -> wire.Asked:
        values = [json.dumps(given, default=word) for given in ([others, rows] if beside else [rows])]
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


def lite_word(value: Any) -> str:
    """The same; ids as SQLite keeps them."""
    return value.hex if isinstance(value, UUID) else str(value)
