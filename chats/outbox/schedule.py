"""When a call that failed is made again (pure)."""

import random
from datetime import datetime, timedelta

# Seconds after the first failure, the second …; then the last one again and again.
WAITS = (1, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 3 * 3600, 4 * 3600, 6 * 3600)
JITTER = 0.2  # up to so much more: what failed together must not come again together
PATIENCE = timedelta(days=3)
# What was held back behind another until its three days were over gets this many attempts (a minute and a half) all the same.
FAIR_ATTEMPTS = 10


def next_attempt(attempts_made: int, filed_at: datetime, now: datetime) -> datetime | None:
    """The moment of the next attempt after `attempts_made` that failed, the last of them now. None: given up."""
    end = filed_at + PATIENCE
    wait = WAITS[min(attempts_made, len(WAITS)) - 1]
    at = now + timedelta(seconds=wait * random.uniform(1, 1 + JITTER))
    if attempts_made < FAIR_ATTEMPTS or at <= end:
        return at
    return end if now < end else None
