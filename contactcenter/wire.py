"""Several statements in one round trip to PostgreSQL, by the pipeline mode of its protocol: for the hot path, where each round trip costs as much as its work.

    people, lines = ask(Asked(PEOPLE, [ids]), Asked(LINES, [ids]))      rows as tuples, in the order of what was asked

Each statement sees what was committed before it began, as if it had been sent alone. It takes part in Django's transaction: `transaction.atomic` is
where it always is. Within `together`, what is `told` waits for the next round trip, at the latest for that of the COMMIT.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from psycopg import errors, generators, pq
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.pq.abc import PGconn, PGresult

_numbers = count(1)


class Statement:
    """A text with `%s` for each of its values. It is prepared once for a connection and the types of its values, and stays: so there may be only so many."""

    def __init__(self, text: str) -> None:
        first, *rest = text.split("%s")
        numbered = first + "".join(f"${turn}{part}" for turn, part in enumerate(rest, 1))
        self.text = numbered.replace("%%", "%").encode()


@dataclass(frozen=True, slots=True)
class Asked:
    statement: Statement
    values: Sequence[Any] = ()


Rows = list[tuple[Any, ...]]
_Key = tuple[Statement, tuple[int, ...]]  # with the types of the values


@dataclass(frozen=True, slots=True)
class _Bound:
    key: _Key
    values: Sequence[Any]
    formats: Sequence[pq.Format]


BEGIN, COMMIT = Asked(Statement("BEGIN")), Asked(Statement("COMMIT"))


def is_usable() -> bool:
    """Not on SQLite; nor while Django keeps a log of queries, in which these would be missing."""
    return connection.vendor == "postgresql" and not connection.queries_logged


def ask(*asked: Asked) -> list[Rows]:
    return _here().ask(asked)


def tell(asked: Asked) -> None:
    """What answers nothing. An error of it may come with what is asked next."""
    wire = _here()
    wire.held.append(asked)
    if not wire.is_together:
        wire.ask(())


@contextlib.contextmanager
def together() -> Iterator[None]:
    """The last block within `transaction.atomic`: what was told last goes with the COMMIT, if the transaction is this block's own."""
    if not is_usable():
        yield
        return
    wire = _here()
    if wire.is_together:
        yield
        return
    wire.is_together = True
    try:
        with connection.execute_wrapper(wire.tell_first):
            yield
        if wire.held and not connection.needs_rollback:
            wire.ask(() if connection.savepoint_ids else (COMMIT,))
    finally:
        wire.is_together = False
        wire.held.clear()


class _Wire:
    """A connection, and what is known of it."""

    def __init__(self, inner: "psycopg.Connection[Any]") -> None:
        self.pgconn = inner.pgconn
        # psycopg throws away all that is prepared after each rollback, if it has prepared anything itself.
        inner.prepare_threshold = None
        self.prepared: dict[_Key, bytes] = {}
        self.held: list[Asked] = []
        self.is_together = False
        adapters = AdaptersMap(inner.adapters)
        if loader := psycopg.adapters.get_loader(_TIMESTAMPTZ, pq.Format.TEXT):
            adapters.register_loader("timestamptz", loader)  # Django's own gives the same times, by a detour
        self.transformer = Transformer(adapters)

    def tell_first(self, execute: Callable[..., Any], *query: Any) -> Any:
        """Django's wrapper of each query: what was told before it goes before it."""
        if self.held:
            self.ask(())
        return execute(*query)

    def ask(self, asked: Sequence[Asked]) -> list[Rows]:
        connection.validate_no_broken_transaction()
        told, self.held = self.held, []
        sent = [*told, *asked]
        if not sent:
            return []
        inner = cast("psycopg.Connection[Any]", connection.connection)
        is_beginning = not inner.autocommit and self.pgconn.transaction_status == pq.TransactionStatus.IDLE
        if is_beginning:
            sent.insert(0, BEGIN)
        with connection.wrap_database_errors, inner.lock:
            found = self._results(inner, sent)
            return [self._rows(result) for result in found[len(found) - len(asked) :]]

    def _results(self, inner: "psycopg.Connection[Any]", sent: Sequence[Asked]) -> list[PGresult]:
        """One for each of what was sent. Raises the error of the first that failed; those behind it were not tried."""
        bound = [self._bind(one) for one in sent]
        new = {one.key: f"wire_{next(_numbers)}".encode() for one in bound if one.key not in self.prepared}
        try:
            self.pgconn.enter_pipeline_mode()
            for (statement, types), name in new.items():
                self.pgconn.send_prepare(name, statement.text, types)
            for one in bound:
                name = self.prepared.get(one.key) or new[one.key]
                self.pgconn.send_query_prepared(name, one.values, one.formats)
            self.pgconn.pipeline_sync()
            found = inner.wait(_until_synced(self.pgconn))
            self.pgconn.exit_pipeline_mode()
        except BaseException:
            inner.close()  # nobody may meet half an answer
            raise
        for (key, name), result in zip(new.items(), found, strict=False):
            if result.status == pq.ExecStatus.COMMAND_OK:
                self.prepared[key] = name
        for result in found:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result)
        return found[len(new) :]

    def _bind(self, asked: Asked) -> "_Bound":
        if not asked.values:
            return _Bound((asked.statement, ()), (), ())
        values = self.transformer.dump_sequence(asked.values, [PyFormat.AUTO] * len(asked.values))
        types, formats = self.transformer.types, self.transformer.formats
        return _Bound((asked.statement, types or ()), values, formats or ())

    def _rows(self, result: PGresult) -> Rows:
        if result.status != pq.ExecStatus.TUPLES_OK:
            return []
        self.transformer.set_pgresult(result)
        return self.transformer.load_rows(0, result.ntuples, tuple)


def _until_synced(pgconn: PGconn) -> Any:
    yield from generators.send(pgconn)
    found: list[PGresult] = []
    while True:
        result = yield from generators.fetch(pgconn)
        if result is None:  # between the answers to two statements, or for ever
            if pgconn.status == pq.ConnStatus.BAD:
                raise errors.OperationalError("The connection to the database is lost.")
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return found
        found.append(result)


_TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid
_wires: "WeakKeyDictionary[psycopg.Connection[Any], _Wire]" = WeakKeyDictionary()


def _here() -> _Wire:
    connection.ensure_connection()
    inner = cast("psycopg.Connection[Any]", connection.connection)
    wire = _wires.get(inner)
    if wire is None:
        wire = _wires[inner] = _Wire(inner)
    return wire
