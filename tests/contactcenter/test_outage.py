"""What is told as "try again in a moment": our trouble, not the caller's, and no fault of the program."""

import errno

import psycopg
import pytest
from django.db import DataError, InterfaceError, InternalError, OperationalError

from contactcenter.outage import is_outage
from tests.contactcenter.test_edge import Client, make

pytestmark = pytest.mark.both


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (OperationalError("away"), True),
        (InterfaceError("closed"), True),
        (caused(InternalError("read-only"), psycopg.errors.ReadOnlySqlTransaction("read-only")), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EROFS, "Read-only file system"), True),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (DataError("too long"), False),
        (ValueError("fault"), False),
        (None, False),
    ],
)
def test_what_is_an_outage(error: Exception | None, verdict: bool) -> None:
    assert is_outage(error) is verdict


async def test_no_room_for_a_body_is_told_as_such() -> None:
    def full(environ: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    client = await Client(chunks=[b"x"]).ask(make(full))
    assert client.status == 503
    assert client.headers[b"retry-after"] == b"2"
