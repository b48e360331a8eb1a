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
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]  # missing in the stubs
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=models.Model)

PREPARED_AFTER = 2  # uses of one text on one connection


class Prepared(Generic[Row]):
    """`make` takes one argument for each value that is given later, and gives the queryset of model instances, without prefetches.

    Its arguments may stand wherever a filter takes a value as it is; they are ids, texts, numbers or times, never None or a row.
    Several ids are one argument, and stand as `among(ids)` behind __in.
    """

    def __init__(self, make: "Callable[..., models.QuerySet[Row]]") -> None:
        self.make = make
        self._plans: dict[str, _Plan] = {}  # by the engine

    def rows(self, *values: Any) -> list[Row]:
        plan = self._plans.get(connection.vendor) or self._compile()
        with server_cursor() as cursor:
            cursor.execute(plan.text, plan.bound(values))
            found = cursor.fetchall()
        return [plan.instance(row) for row in found]

    def first(self, *values: Any) -> Row | None:
        """The first row in the queryset's order. Say `[:1]` in the queryset where there may be many."""
        return next(iter(self.rows(*values)), None)

    def _compile(self) -> "_Plan":
        plan = self._plans[connection.vendor] = _Plan(*_compiled(self.make))
        return plan


class PreparedValues:
    """The same for a queryset that ends in `values_list`: `tuples` gives what it would have given."""

    def __init__(self, make: "Callable[..., models.QuerySet[Any, Any]]") -> None:
        self.make = make
        self._plans: dict[str, _Query] = {}  # by the engine

    def tuples(self, *values: Any) -> list[tuple[Any, ...]]:
        plan = self._plans.get(connection.vendor) or self._compile()
        with server_cursor() as cursor:
            cursor.execute(plan.text, plan.bound(values))
            return [tuple(plan.read(row)) for row in cursor.fetchall()]

    def _compile(self) -> "_Query":
        plan = self._plans[connection.vendor] = _Query(*_compiled(self.make))
        return plan


def _compiled(make: Callable[..., Any]) -> tuple[str, Sequence[Any], SQLCompiler]:
    asked = [_Asked(place) for place, _name in enumerate(inspect.signature(make).parameters)]
    compiler = make(*asked).query.get_compiler(using=connection.alias)
    return *compiler.as_sql(), compiler


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
        return "(SELECT unnest(%s::uuid[]))", [self]


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
        expressions = [column[0] for column in compiler.select[: compiler.col_count]]  # type: ignore[index]
        converters = compiler.get_converters(expressions).items()
        self.converted = [_Converted(column, one, tuple(wanted)) for column, (wanted, one) in converters]

    def bound(self, values: Sequence[Any]) -> list[Any]:
        """The query's values in the order of its text."""
        return [_bindable(values[one.place]) if isinstance(one, _Asked) else one for one in self.params]

    def read(self, found: Iterable[Any]) -> list[Any]:
        row = list(found)
        for one in self.converted:
            for convert in one.converters:
                row[one.column] = convert(row[one.column], one.expression, connection)
        return row


class _Plan(_Query):
    """How the rows become instances, too (as django.db.models.query.ModelIterable makes them)."""

    def __init__(self, text: str, params: Sequence[Any], compiler: SQLCompiler) -> None:
        super().__init__(text, params, compiler)
        select: Any = compiler.select
        info: Any = compiler.klass_info
        self.model = info["model"]
        self.start, self.end = info["select_fields"][0], info["select_fields"][-1] + 1
        self.names = [column[0].target.attname for column in select[self.start : self.end]]
        self.populators = get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]  # the stubs know Django 6
        self.annotations = list((compiler.annotation_col_map or {}).items())

    def instance(self, found: Iterable[Any]) -> Any:
        row = self.read(found)
        made = self.model.from_db(connection.alias, self.names, row[self.start : self.end])
        for populator in self.populators:
            populator.populate(row, made)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


def server_cursor() -> CursorWrapper:
    """Django's cursor. On PostgreSQL values are bound by the server, not written into the text, so that the text can be prepared."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    connection.ensure_connection()
    inner: Any = connection.connection
    # A prepared query has no text that Django's log of queries could show.
    inner.prepare_threshold = None if connection.queries_logged else PREPARED_AFTER
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with connection.wrap_database_errors:
        bound: Any = ServerBindingCursor(inner)  # type: ignore[call-arg]
        return wrap(bound)


def _bindable(value: Any) -> Any:
    """As the engine keeps it; PostgreSQL has a type for everything."""
    if connection.vendor == "sqlite":
        if isinstance(value, UUID):
            return value.hex
        if isinstance(value, datetime):
            return connection.ops.adapt_datetimefield_value(value)
        if isinstance(value, list):
            return json.dumps([one.hex for one in value])
    return value
