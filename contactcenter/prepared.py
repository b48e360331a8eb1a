"""Queries that the ORM compiles once: it takes a millisecond to turn a look-up into SQL, and the database answers it in a tenth of that.

    live_sessions = Prepared(lambda token, now: CustomerSession.objects.filter(token_hash=token, expires_at__gt=now))
    live_sessions.first(hash_secret(token), now)

What comes back is what the queryset would have given: the same rows, with everything that `select_related` names.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from itertools import chain, islice
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

from . import wire

Row = TypeVar("Row", bound=models.Model)


class Prepared(Generic[Row]):
    """`make` takes one argument for each value that is given later, and gives the queryset of model instances, without prefetches.

    Its arguments may stand wherever a filter takes a value as it is; they are ids, texts, numbers or times, never None or a row.
    Several ids are one argument, and stand as `among(ids)` behind __in.
    """

    def __init__(self, make: "Callable[..., models.QuerySet[Row]]") -> None:
        self.make = make
        self._plans: dict[str, _Plan] = {}  # by the engine

    def rows(self, *values: Any) -> list[Row]:
        plan = self.plan()
        return [plan.instance(row) for row in plan.found(values)]

    def made(self, found: Iterable[Sequence[Any]]) -> list[Row]:
        """What `rows` makes of what the database says."""
        plan = self.plan()
        return [plan.instance(row) for row in found]

    def first(self, *values: Any) -> Row | None:
        """The first row in the queryset's order. Say `[:1]` in the queryset where there may be many."""
        return next(iter(self.rows(*values)), None)

    def plan(self) -> "_Plan":
        vendor = connections[DEFAULT_DB_ALIAS].vendor
        plan = self._plans.get(vendor)
        if plan is None:
            plan = self._plans[vendor] = _Plan(*_compiled(self.make))
        return plan


class PreparedValues:
    """The same for a queryset that ends in `values_list`, or of which these values are wanted: `tuples` gives what it would have given."""

    def __init__(self, make: "Callable[..., models.QuerySet[Any, Any]]", *names: str) -> None:
        self.make = _with_values(make, names) if names else make
        self._plans: dict[str, _Query] = {}  # by the engine

    def tuples(self, *values: Any) -> list[tuple[Any, ...]]:
        plan = self.plan()
        return [tuple(plan.read(row)) for row in plan.found(values)]

    def made(self, found: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """What `tuples` makes of what the database says."""
        plan = self.plan()
        return [tuple(plan.read(row)) for row in found]

    def plan(self) -> "_Query":
        vendor = connections[DEFAULT_DB_ALIAS].vendor
        plan = self._plans.get(vendor)
        if plan is None:
            plan = self._plans[vendor] = _Query(*_compiled(self.make))
        return plan


class Plan(Protocol):
    """How one text is asked with these values or those."""

    def found(self, values: Sequence[Any], /) -> Iterable[Sequence[Any]]: ...

    def asked_all(self, lists: Sequence[Sequence[Any]], /) -> list[wire.Asked]:
        """For each of these lists of values."""

    def parted(self, found: list[wire.Rows], size: int, /) -> list[wire.Rows]:
        """What was found for each of them, of what `asked_all` has brought."""


class Planned(Protocol):
    """What `found_together` takes: Prepared, PreparedValues, and contactcenter.statements.Select."""

    def plan(self) -> Plan: ...


def found_together(*asked: tuple[Planned, Sequence[Sequence[Any]]]) -> list[list[Any]]:
    """For each query, and each of its lists of values, what the database says: all in one round trip. To be compared, or given to `made`."""
    plans = [(query.plan(), lists) for query, lists in asked]
    if not wire.is_usable():
        return [[plan.found(values) for values in lists] for plan, lists in plans]
    sent = [plan.asked_all(lists) for plan, lists in plans]
    found = iter(wire.ask(*chain.from_iterable(sent)))
    return [
        plan.parted(list(islice(found, len(own))), len(lists)) for (plan, lists), own in zip(plans, sent, strict=True)
    ]


def _with_values(make: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    @wraps(make)
    def made(*asked: Any) -> Any:
        return make(*asked).values_list(*names)

    return made


def _compiled(make: Callable[..., Any]) -> tuple[str, Sequence[Any], SQLCompiler]:
    asked = [_Asked(place) for place, _name in enumerate(inspect.signature(make).parameters)]
    compiler = make(*asked).query.get_compiler(using=connection.alias)
    text, params = compiler.as_sql()
    # PostgreSQL joins a subselect behind the eight tables that it puts in order by itself: it would read all of them first.
    return text.replace(f"IN {_ANY_ID}", "= ANY(%s::uuid[])"), params, compiler


_TYPES = {UUID: "uuid", str: "text", int: "bigint", datetime: "timestamptz"}  # as PostgreSQL calls them
_ANY_ID = "(SELECT unnest(%s::uuid[]))"


def attach(row: models.Model, name: str, rows: "list[Row]", model: type[Row]) -> None:
    """As prefetch_related("name") would have left them: `row.name.all()` asks no more."""
    found: models.QuerySet[Row] = models.QuerySet(model)
    found._result_cache = rows
    vars(row).setdefault("_prefetched_objects_cache", {})[name] = found


class _Asked(Expression):
    """Stands in a query for the value with this place."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def as_sql(self, _compiler: Any, _connection: Any) -> Any:
        return "%s", [self]


def among(asked: Any) -> Any:
    """In `make`: any of the ids of this argument. One text, and one plan, for however many there are."""
    return _Among(asked.place)


class _Among(_Asked):
    def as_sql(self, _compiler: Any, database: Any) -> Any:
        if database.vendor == "sqlite":
            return "(SELECT value FROM json_each(%s))", [self]
        return _ANY_ID, [self]


@dataclass(frozen=True, slots=True)
class _Converted:
    """A column whose values the field reads in its own way."""

    column: int
    expression: Any
    converters: Sequence[Callable[..., Any]]


class _Query:
    """A compiled query: its text, and how what it finds is read."""

    def __init__(self, text: str, params: Sequence[Any], compiler: SQLCompiler) -> None:
        self.text, self.params = text, params
        self.statement = wire.Statement(text)
        self.is_lite = compiler.connection.vendor == "sqlite"
        self.is_among = any(isinstance(one, _Among) for one in params)
        self._of_lines: dict[tuple[type, ...], wire.Statement] = {}  # by the types of a line's values
        expressions = [column[0] for column in compiler.select[: compiler.col_count]]  # type: ignore[index]
        converters = compiler.get_converters(expressions).items()
        self.converted = [_Converted(column, one, tuple(wanted)) for column, (wanted, one) in converters]

    def found(self, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        bound = self._bound(values)
        if wire.is_usable():
            return wire.ask(wire.Asked(self.statement, bound))[0]
        return read(self.text, bound)

    def asked_all(self, lists: Sequence[Sequence[Any]]) -> list[wire.Asked]:
        """One statement for however many there are; one for each where an argument is itself many."""
        if self.is_among:
            return [wire.Asked(self.statement, self._bound(values)) for values in lists]
        if not lists:
            return []
        types = tuple(map(type, lists[0]))
        statement = self._of_lines.get(types)
        if statement is None:
            statement = self._of_lines[types] = wire.Statement(self._text_of_lines(types))
        fixed = [one for one in self.params if not isinstance(one, _Asked)]
        return [wire.Asked(statement, [json.dumps(list(lists), default=word), *fixed])]

    def parted(self, found: list[wire.Rows], size: int) -> list[wire.Rows]:
        """The rows of each list of values, by the turn that stands before each row."""
        if self.is_among:
            return found
        parts: list[wire.Rows] = [[] for _ in range(size)]
        for turn, *row in chain.from_iterable(found):
            parts[turn - 1].append(tuple(row))
        return parts

    def _text_of_lines(self, types: Sequence[type]) -> str:
        """The query for each line of values. Each OFFSET 0 keeps PostgreSQL from joining in another way than line by line, and from reading a value once a row."""
        first, *rest = self.text.split("%s")
        values = [f"asked.v{one.place}" if isinstance(one, _Asked) else "%s" for one in self.params]
        each = first + "".join(f"{value}{part}" for value, part in zip(values, rest, strict=True))
        columns = "".join(f", (line->>{place})::{_TYPES[one]} AS v{place}" for place, one in enumerate(types))
        lines = f"SELECT turn{columns} FROM json_array_elements(%s::json) WITH ORDINALITY AS given(line, turn) OFFSET 0"  # noqa: S608 - the ORM's
        return f"SELECT asked.turn, found.* FROM ({lines}) AS asked, LATERAL ({each} OFFSET 0) AS found"  # noqa: S608

    def _bound(self, values: Sequence[Any]) -> list[Any]:
        """The query's values in the order of its text."""
        bound = [values[one.place] if isinstance(one, _Asked) else one for one in self.params]
        return list(map(_lite_value, bound)) if self.is_lite else bound

    def read(self, found: Iterable[Any]) -> list[Any]:
        row, wrapper = list(found), connections[DEFAULT_DB_ALIAS]
        for one in self.converted:
            for convert in one.converters:
                row[one.column] = convert(row[one.column], one.expression, wrapper)
        return row


class _Made:
    """How the columns of one model become an instance, and its relations' (as django.db.models.query.ModelIterable makes them).

    The values go straight into the instance: our models have no __init__ and no signals of their own.
    """

    def __init__(self, info: Any, select: Any) -> None:
        self.model = info["model"]
        columns = info["select_fields"]
        self.start, self.end = columns[0], columns[-1] + 1
        self.names = [select[column][0].target.attname for column in columns]
        # No part of a key is ever empty: one tells whether there is such a row.
        self.key = columns[self.names.index(self.model._meta.pk_fields[0].attname)]
        self.related = [
            (one["local_setter"], one["remote_setter"], _Made(one, select))
            for one in info.get("related_klass_infos", ())
        ]

    def instance(self, row: list[Any]) -> Any:
        made = new_instance(self.model, zip(self.names, row[self.start : self.end], strict=True))
        for set_here, set_there, other in self.related:
            found = None if row[other.key] is None else other.instance(row)
            set_here(made, found)
            if found is not None:
                set_there(found, made)
        return made


def new_instance(model: type[Row], values: Iterable[tuple[str, Any]]) -> Row:
    """A row as it is in the database, without the way through a constructor that any model may have."""
    made = model.__new__(model)
    made._state = state = ModelState()
    state.db, state.adding = DEFAULT_DB_ALIAS, False
    vars(made).update(values)
    return made


class _Plan(_Query):
    """How the rows become instances, too."""

    def __init__(self, text: str, params: Sequence[Any], compiler: SQLCompiler) -> None:
        super().__init__(text, params, compiler)
        self.made = _Made(compiler.klass_info, compiler.select)
        self.annotations = list((compiler.annotation_col_map or {}).items())

    def instance(self, found: Iterable[Any]) -> Any:
        row = self.read(found)
        made = self.made.instance(row)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


def server_cursor() -> CursorWrapper:
    """Django's cursor, where contactcenter.wire is not usable. On PostgreSQL values are bound by the server, not written into the text."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "postgresql":
        return wrapper.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    wrapper.ensure_connection()
    inner: Any = wrapper.connection
    wrap = wrapper.make_debug_cursor if wrapper.queries_logged else wrapper.make_cursor
    with wrapper.wrap_database_errors:
        bound: Any = ServerBindingCursor(inner)  # type: ignore[call-arg]
        return wrap(bound)


def read(text: str, values: Sequence[Any]) -> list[Any]:
    """What a SELECT finds, where contactcenter.wire is not usable."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor == "sqlite" and not wrapper.queries_logged:
        # Without Django's cursor, which costs SQLite as much as the look-up.
        wrapper.ensure_connection()
        wrapper.validate_no_broken_transaction()
        with wrapper.wrap_database_errors:
            found: list[Any] = wrapper.connection.execute(text.replace("%s", "?").replace("%%", "%"), values).fetchall()
            return found
    with server_cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall()


def word(value: Any) -> str:
    """What JSON has no word for."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _lite_value(value: Any) -> Any:
    """As SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, list):
        return json.dumps([one.hex for one in value])
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
