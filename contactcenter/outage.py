"""What counts as "the database (or the disk) is away": nothing was stored, the same request may succeed later."""

import errno

from django.db import Error, InterfaceError, OperationalError

READ_ONLY = "25006"  # PostgreSQL: read_only_sql_transaction
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # where files are kept


def is_outage(error: BaseException | None) -> bool:
    """Connection lost, pool exhausted, disk full, read-only, deadlock: our trouble, not the caller's."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return isinstance(error, Error) and getattr(error.__cause__, "sqlstate", None) == READ_ONLY
