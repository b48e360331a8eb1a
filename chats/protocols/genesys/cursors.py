"""Which lines a client gets: from an index on, or those that nobody has got yet (the stored cursor), with the public emulator's tolerances."""

import re
from typing import Any

from django.db import transaction

from chats.models import ForeignChat, ForeignLine

MOST_LINES = 1000  # in one answer; the next poll gives the rest
MOST_DIGITS = 9  # of a number that our rows can hold
_LEADING_NUMBER = re.compile(r"\s*([+-]?)0*([0-9]+)")


def asked_index(value: Any) -> int | None:
    """The index that a query names, read as parseInt would: "5x" is 5. None: names none. -1: names none that could be."""
    if value in (None, ""):
        return None
    found = _LEADING_NUMBER.match(str(value))
    if found is None or len(found[2]) > MOST_DIGITS:
        return -1
    return int(found[1] + found[2])


def give_lines(foreign: ForeignChat, index: int | None) -> list[ForeignLine]:
    """The lines from `index` on (0: all; inclusive, 1 is the first), or after the stored cursor. What was given moves the cursor behind it.

    Of two clients that poll without an index at the same moment each gets what the other does not.
    """
    if not has_lines(foreign.head, foreign.cursor, index):
        return []
    return _give(foreign, None if index is None else max(index - 1, 0))


def has_lines(head: int, cursor: int, index: int | None) -> bool:
    """Whether there is anything to give of a chat with so many lines."""
    after = cursor if index is None else max(index - 1, 0)
    return head > after and (index is None or index >= 0)


@transaction.atomic
def _give(foreign: ForeignChat, after: int | None) -> list[ForeignLine]:
    # Without the lock the second of two polls would read the same lines, or take the cursor back.
    locked = ForeignChat.objects.select_for_update(no_key=True).only("cursor").get(pk=foreign.pk)
    if after is None:
        after = locked.cursor
    lines = list(ForeignLine.objects.filter(foreign_chat=foreign, number__gt=after).order_by("number")[:MOST_LINES])
    if lines and lines[-1].number != locked.cursor:
        locked.cursor = lines[-1].number
        locked.save(update_fields=["cursor"])
    return lines
