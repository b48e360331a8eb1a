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

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.utils import CursorWrapper
from django.db.models.base import ModelState
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=models.Model)

PREPARED_AFTER = 2  # uses of one text on one connection


class Prepared(Generic[Row]):
    """`make` takes one argument for each value that is given later, and gives the queryset of model instances, without prefetches.

    Its arguments may stand wherever a filter takes a value as it is; they are ids, texts, numbers or times, never None, a list or a row.
    """

    def __init__(self, make: "Callable[..., models.QuerySet[Row]]") -> None:
        self.make = make
        self._plans: dict[str, _Plan] = {}  # by the engine

    def rows(self, *values: Any) -> list[Row]:
        plan = self._plans.get(connections[DEFAULT_DB_ALIAS].vendor) or self._compile()
        with server_cursor() as cursor:
            cursor.execute(plan.text, plan.bound(values))
            found = cursor.fetchall()
        return [plan.instance(row) for row in found]

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
        made = self.model.__new__(self.model)
        made._state = state = ModelState()
        state.db, state.adding = DEFAULT_DB_ALIAS, False
        vars(made).update(zip(self.names, row[self.start : self.end], strict=True))
        for set_here, set_there, other in self.related:
            found = None if row[other.key] is None else other.instance(row)
            set_here(made, found)
            if found is not None:
                set_there(found, made)
        return made


class _Plan:
    """A compiled query: its text, and how its rows become instances."""

    def __init__(self, text: str, params: Sequence[Any], compiler: SQLCompiler) -> None:
        self.text, self.params = text, params
        select: Any = compiler.select
        self.made = _Made(compiler.klass_info, select)
        self.annotations = list((compiler.annotation_col_map or {}).items())
        expressions = [column[0] for column in select[: compiler.col_count]]
        converters = compiler.get_converters(expressions).items()
        self.converted = [_Converted(column, one, tuple(wanted)) for column, (wanted, one) in converters]

    def bound(self, values: Sequence[Any]) -> list[Any]:
        """The query's values in the order of its text."""
        return [_bindable(values[one.place]) if isinstance(one, _Asked) else one for one in self.params]

    def instance(self, found: Iterable[Any]) -> Any:
        row, wrapper = list(found), connections[DEFAULT_DB_ALIAS]
        for one in self.converted:
            for convert in one.converters:
                row[one.column] = convert(row[one.column], one.expression, wrapper)
        made = self.made.instance(row)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


def server_cursor() -> CursorWrapper:
    """Django's cursor. On PostgreSQL values are bound by the server, not written into the text, so that the text can be prepared."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "postgresql":
        return wrapper.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    if wrapper.connection is None:
        wrapper.ensure_connection()
    inner: Any = wrapper.connection
    # A prepared query has no text that Django's log of queries could show.
    inner.prepare_threshold = None if wrapper.queries_logged else PREPARED_AFTER
    wrap = wrapper.make_debug_cursor if wrapper.queries_logged else wrapper.make_cursor
    bound: Any = ServerBindingCursor(inner)  # type: ignore[call-arg]
    return wrap(bound)


def _bindable(value: Any) -> Any:
    """As the engine keeps it; PostgreSQL has a type for everything."""
    if isinstance(value, UUID | datetime) and connections[DEFAULT_DB_ALIAS].vendor == "sqlite":
        return value.hex if isinstance(value, UUID) else connection.ops.adapt_datetimefield_value(value)
    return value
