"""SQLite for one process with many threads.

SQLite wants exactly one writer: several that queue at its file lock poll for it, and the unlucky wait for half a second
and more (measured: p99 502 ms with many threads, 3 ms with one writer). So a fair lock of this process is taken before
BEGIN IMMEDIATE and given back after COMMIT or ROLLBACK. Every transaction begins IMMEDIATE, since one that reads first
and writes later fails at once when another has written meanwhile, whatever the time-out. Reads outside a transaction
take no lock: WAL lets them go on beside the writer. Writes outside a transaction take the lock for their one statement.
synchronous=FULL: what was acknowledged survives a power cut.
"""

import contextlib
import itertools
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from contactcenter.sqlite.lock import FairLock

TIMEOUT = 20
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000; PRAGMA mmap_size=67108864"
# What needs no lock in autocommit mode. BEGIN takes it in its own place; SAVEPOINT never stands outside a transaction.
HARMLESS = re.compile(
    r"\s*(SELECT|PRAGMA|EXPLAIN|VALUES|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|ANALYZE sqlite_master)\b", re.I
)

writer = FairLock()


class WriterCursor(base.SQLiteCursorWrapper):
    """Takes the writer's lock around a single writing statement in autocommit mode."""

    rows: Iterator[Any] | None = None

    def execute(self, query: str, params: Any = None) -> "WriterCursor":
        self.rows = None
        with self._writing(query):
            super().execute(query, params)
        return self

    def executemany(self, query: str, param_list: Any) -> "WriterCursor":
        self.rows = None
        with self._writing(query):
            super().executemany(query, param_list)
        return self

    @contextlib.contextmanager
    def _writing(self, query: str) -> Iterator[None]:
        if self.connection.in_transaction or HARMLESS.match(query):
            yield
            return
        _acquire()
        try:
            yield
            if self.description is not None:
                # INSERT … RETURNING commits when its last row has been read, not before.
                self.rows = iter(super().fetchall())
        finally:
            writer.release()

    def fetchone(self) -> Any:
        return super().fetchone() if self.rows is None else next(self.rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = self.arraysize if size is None else size
        if self.rows is None:
            return super().fetchmany(size)
        return list(itertools.islice(self.rows, size))

    def fetchall(self) -> list[Any]:
        return super().fetchall() if self.rows is None else list(self.rows)

    def __next__(self) -> Any:
        return super().__next__() if self.rows is None else next(self.rows)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper; holds the writer's lock from BEGIN to the end of each transaction."""

    holds_lock = False

    def get_connection_params(self) -> dict[str, Any]:
        options = self.settings_dict["OPTIONS"]
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", TIMEOUT)
        options.setdefault("init_command", PRAGMAS)
        return super().get_connection_params()

    def create_cursor(self, name: str | None = None) -> WriterCursor:
        return self.connection.cursor(factory=WriterCursor)

    def _start_transaction_under_autocommit(self) -> None:
        if not self.holds_lock:
            _acquire()
            self.holds_lock = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # missing in the stubs
        except BaseException:
            self._release()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]  # missing in the stubs
        finally:
            # A commit that failed leaves the transaction open; the roll-back that follows gives the lock back.
            self._release_after_transaction()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # missing in the stubs
        finally:
            self._release_after_transaction()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # missing in the stubs
        finally:
            self._release()

    def _release_after_transaction(self) -> None:
        if self.connection is None or not self.connection.in_transaction:
            self._release()

    def _release(self) -> None:
        if self.holds_lock:
            self.holds_lock = False
            writer.release()


def _acquire() -> None:
    if not writer.acquire(TIMEOUT):
        raise OperationalError("database is locked: another writer of this process did not finish") from (
            sqlite3.OperationalError("database is locked")
        )
