"""What is written beside an answer: leases, last uses. While the database takes no writes, reading goes on without it."""

from collections.abc import Callable

from django.db import Error, transaction

from contactcenter.outage import is_outage


def unless_away(write: Callable[[], object]) -> None:
    """Do it in a transaction of its own; an outage is not the reader's trouble."""
    try:
        with transaction.atomic():
            write()
    except Error as error:
        if not is_outage(error):
            raise
