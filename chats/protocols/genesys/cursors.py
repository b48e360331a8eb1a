"""Which lines a client gets: from an index on, or those that nobody has got yet (the stored cursor), with the public emulator's tolerances."""

import re
from typing import Any

from django.db import transaction

from chats.models import ForeignChat, ForeignLine

MOST_LINES = 1000  # in one answer; the next poll gives the rest
_LEADING_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,9})(?![0-9])")


def asked_index(value: Any) -> int | None:
    """The index that a query names, read as parseInt would: "5x" is 5. None: names none. -1: names none that could be."""
    if value in (None, ""):
        return None
    found = _LEADING_NUMBER.match(str(value))
    return int(found[1]) if found else -1


@transaction.atomic
def give_lines(foreign: ForeignChat, index: int | None) -> list[ForeignLine]:
    """The lines from `index` on (0: all; inclusive, 1 is the first), or after the stored cursor. What was given moves the cursor behind it.

    Of two clients that poll at the same moment each gets the lines once: the cursor's row is locked. A client that names an index disturbs nobody's numbers.
    """
    if index is not None and (index < 0 or index > foreign.head):
        return []
    if index is not None:
        lines = _read(foreign, index - 1)
        _move(foreign, lines)
        return lines
    if foreign.head <= foreign.cursor:
        return []
    cursor = ForeignChat.objects.select_for_update(no_key=True).values_list("cursor", flat=True).get(pk=foreign.pk)
    lines = _read(foreign, cursor)
    _move(foreign, lines)
    return lines


def _read(foreign: ForeignChat, after: int) -> list[ForeignLine]:
    return list(ForeignLine.objects.filter(foreign_chat=foreign, number__gt=after).order_by("number")[:MOST_LINES])


def _move(foreign: ForeignChat, lines: list[ForeignLine]) -> None:
    if lines:
        ForeignChat.objects.filter(pk=foreign.pk).update(cursor=lines[-1].number)
