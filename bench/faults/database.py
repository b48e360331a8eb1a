"""The run's database, read past the product: plain SQL on PostgreSQL or SQLite."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

Errors = (psycopg.Error, sqlite3.Error)
Row = dict[str, Any]


class Database:
    """`url`: postgres://… or the path of a SQLite file."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_postgres = url.startswith("postgres")

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        connection: Any
        if self.is_postgres:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=3)
        else:
            connection = sqlite3.connect(f"file:{self.url}?mode=ro", uri=True, timeout=5, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Any]:
        """A connection that sees one moment, however long it reads."""
        with self.connected() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ" if self.is_postgres else "BEGIN")
            yield connection

    def rows(self, connection: Any, query: str, *moments: datetime) -> list[Row]:
        """`query` has %s for each moment. UUIDs come as texts with hyphens, whatever keeps them."""
        values = moments if self.is_postgres else tuple(f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in moments)
        cursor = connection.execute(query if self.is_postgres else query.replace("%s", "?").replace("%%", "%"), values)
        names = [column[0] for column in cursor.description]
        return [
            {name: _plain(name, value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()
        ]

    def all(self, query: str, *moments: datetime) -> list[Row]:
        with self.connected() as connection:
            return self.rows(connection, query, *moments)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if name.endswith("id") and isinstance(value, str) and len(value) == 32:
        with contextlib.suppress(ValueError):
            return str(uuid.UUID(value))
    return value


def now() -> datetime:
    return datetime.now(UTC)


def seconds_ago(seconds: float) -> datetime:
    return now() - timedelta(seconds=seconds)
