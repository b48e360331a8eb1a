"""Queries that the ORM compiles once: it takes a millisecond to turn a look-up into SQL, and the database answers it in a tenth of that.

    live_sessions = Prepared(lambda token, now: CustomerSession.objects.filter(token_hash=token, expires_at__gt=now))
    live_sessions.first(hash_secret(token), now)

What comes back is what the queryset would have given: the same rows, with everything that `select_related` names.
"""

import inspect
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

from . import wire

Row = TypeVar("Row", bound=models.Model)


class Prepared(Generic[Row]):
    """`make` takes one argument for each value that is given later, and gives the queryset of model instances, without prefetches.

    Its arguments may stand wherever a filter takes a value as it is; they are ids, texts, numbers or times, never None, a list or a row.
    """

    def __init__(self, make: "Callable[..., models.QuerySet[Row]]") -> None:
        self.make = make
        self._plans: dict[str, _Plan] = {}  # by the engine

    def rows(self, *values: Any) -> list[Row]:
        plan = self._plans.get(connection.vendor) or self._compile()
        return [plan.instance(row) for row in self._ask(plan, plan.bound(values))]

    def _ask(self, plan: "_Plan", bound: list[Any]) -> Iterable[Any]:
        if wire.is_usable():
            return wire.ask(wire.Asked(plan.statement, bound))[0]
        with server_cursor() as cursor:
            cursor.execute(plan.text, bound)
            return cursor.fetchall()

    def first(self, *values: Any) -> Row | None:
        """The first row in the queryset's order. Say `[:1]` in the queryset where there may be many."""
        return next(iter(self.rows(*values)), None)

    def _compile(self) -> "_Plan":
        asked = [_Asked(place) for place, _name in enumerate(inspect.signature(self.make).parameters)]
        compiler = self.make(*asked).query.get_compiler(using=connection.alias)
        text, params = compiler.as_sql()
        plan = self._plans[connection.vendor] = _Plan(text, params, compiler)
        return plan


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


@dataclass(frozen=True, slots=True)
class _Converted:
    """A column whose values the field reads in its own way."""

    column: int
    expression: Any
    converters: Sequence[Callable[..., Any]]


class _Plan:
    """A compiled query: its text, and how its rows become instances (as django.db.models.query.ModelIterable makes them)."""

    def __init__(self, text: str, params: Sequence[Any], compiler: SQLCompiler) -> None:
        self.text, self.params = text, params
        self.statement = wire.Statement(text)
        select: Any = compiler.select
        info: Any = compiler.klass_info
        self.model = info["model"]
        self.start, self.end = info["select_fields"][0], info["select_fields"][-1] + 1
        self.names = [column[0].target.attname for column in select[self.start : self.end]]
        self.populators = get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]  # the stubs know Django 6
        self.annotations = list((compiler.annotation_col_map or {}).items())
        expressions = [column[0] for column in select[: compiler.col_count]]
        converters = compiler.get_converters(expressions).items()
        self.converted = [_Converted(column, one, tuple(wanted)) for column, (wanted, one) in converters]

    def bound(self, values: Sequence[Any]) -> list[Any]:
        """The query's values in the order of its text."""
        return [_bindable(values[one.place]) if isinstance(one, _Asked) else one for one in self.params]

    def instance(self, found: Iterable[Any]) -> Any:
        row = list(found)
        for one in self.converted:
            for convert in one.converters:
                row[one.column] = convert(row[one.column], one.expression, connection)
        made = self.model.from_db(connection.alias, self.names, row[self.start : self.end])
        for populator in self.populators:
            populator.populate(row, made)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


def server_cursor() -> CursorWrapper:
    """Django's cursor, where contactcenter.wire is not usable. On PostgreSQL values are bound by the server, not written into the text."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    connection.ensure_connection()
    inner: Any = connection.connection
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
    return value
