"""What counts as "the database is away": nothing was stored, the same request may succeed later."""

from django.db import Error, InterfaceError, OperationalError

READ_ONLY = "25006"  # PostgreSQL: read_only_sql_transaction


def is_outage(error: BaseException | None) -> bool:
    """Connection lost, pool exhausted, disk full, read-only, deadlock: our trouble, not the caller's."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, Error) and getattr(error.__cause__, "sqlstate", None) == READ_ONLY
