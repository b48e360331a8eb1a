"""How tests that commit are cleaned up after: rows are deleted, where Django would TRUNCATE each table and fill some of them again.

TRUNCATE makes new files of every table and index and waits for the disk: two seconds a test on PostgreSQL; this takes a hundredth.
"""

from functools import cache
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
}  # no test changes them; post_migrate would fill them again
flush = TransactionTestCase._fixture_teardown


def empty_tables(case: TransactionTestCase) -> None:
    """In place of TransactionTestCase._fixture_teardown, for our one database."""
    if connection.vendor == "sqlite":
        words = connection.ops.sql_flush(no_style(), tables(), reset_sequences=False, allow_cascade=False)
        connection.ops.execute_sql_flush(words)
    elif can_pass_over_triggers():
        with transaction.atomic(), connection.cursor() as cursor:
            _delete(cursor)
    else:
        flush(case)


@cache
def tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)


@cache
def can_pass_over_triggers() -> bool:
    """Links between rows and the audit log forbid most deletions; only PostgreSQL's superuser passes over triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _delete(cursor: Any) -> None:
    names = [connection.ops.quote_name(table) for table in tables()]
    # Whoever still writes in a thread is waited for, as TRUNCATE waits: its rows would stay for the next test.
    cursor.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute("; ".join(f"DELETE FROM {name}" for name in names))
