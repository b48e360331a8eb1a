"""When a call that failed is made again, and which answers end it (pure): a table by protocol."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contactcenter.models import Registration

# Seconds after the first failure, the second …; then the last one again and again.
WAITS = (1, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 3 * 3600, 4 * 3600, 6 * 3600)
JITTER = 0.2  # up to so much more: what failed together must not come again together
PATIENCE = timedelta(days=3)
# What was held back behind another until its three days were over gets this many attempts (a minute and a half) all the same.
FAIR_ATTEMPTS = 10

# The Chat API's, as its vendor has them ("/reference/webhooks"): seventeen, in all a day; then it is given up.
COMAPI_WAITS = (5, 5, 30, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, *[4 * 3600] * 5)
COMAPI_JITTER = 1.0  # seconds at most
# What was held back behind others for longer than this gets fewer attempts (a minute): else a chat's queue would outlast a week.
COMAPI_PATIENCE = timedelta(days=2)
COMAPI_FAIR_ATTEMPTS = 5

Next = Callable[[int, datetime, datetime], datetime | None]


def backoff(waits: Sequence[int], attempts_made: int) -> timedelta:
    """How long to wait after so many that failed, by a table of seconds; past its end its last. With some jitter."""
    wait = waits[min(attempts_made, len(waits)) - 1]
    return timedelta(seconds=wait * random.uniform(1, 1 + JITTER))


def next_attempt(attempts_made: int, filed_at: datetime, now: datetime) -> datetime | None:
    """The moment of the next attempt after `attempts_made` that failed, the last of them now. None: given up."""
    end = filed_at + PATIENCE
    at = now + backoff(WAITS, attempts_made)
    if attempts_made < FAIR_ATTEMPTS or at <= end:
        return at
    return end if now < end else None


def next_comapi_attempt(attempts_made: int, filed_at: datetime, now: datetime) -> datetime | None:
    """The same for the Chat API."""
    is_late = now > filed_at + COMAPI_PATIENCE
    if attempts_made > (COMAPI_FAIR_ATTEMPTS if is_late else len(COMAPI_WAITS)):
        return None
    return now + timedelta(seconds=COMAPI_WAITS[attempts_made - 1] + random.uniform(0, COMAPI_JITTER))


@dataclass(frozen=True, slots=True)
class Manners:
    """How the receivers of one protocol are called.

    drops: answers after which a call is not made again; ends: after which none is, the web hook is switched off.
    """

    next_attempt: Next
    drops: frozenset[int] = frozenset()
    ends: frozenset[int] = frozenset()


OURS = Manners(next_attempt, ends=frozenset({410}))
MANNERS: dict[str, Manners] = {
    # 400 is "I do not want this one"; 410 means nothing there.
    Registration.Protocol.COMAPI: Manners(next_comapi_attempt, drops=frozenset({400})),
}


def manners_of(protocol: str) -> Manners:
    """protocol: Registration.protocol, empty for our own words."""
    return MANNERS.get(protocol, OURS)
