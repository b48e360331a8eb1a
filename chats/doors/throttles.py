"""How often somebody may knock: counted in the cache, so that all server processes count together.

Of a high rate each process tells the others by the hundredth part: so much more than the limit may come in, and no request waits for Redis.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from chats.errors import TooMany
from contactcenter import longpoll

WINDOW = 60  # seconds


@dataclass(frozen=True)
class Rate:
    """So many a minute. `setting`: where an operator may have set another number."""

    name: str
    per_minute: int
    setting: str = ""

    @property
    def limit(self) -> int:
        return int(getattr(settings, self.setting, self.per_minute)) if self.setting else self.per_minute


ANONYMOUS_BY_ADDRESS = Rate("address", 600, "ANONYMOUS_RATE")
ANONYMOUS_BY_KEY = Rate("key", 6000)
STARTS_BY_CUSTOMER = Rate("starts", 20)
UPLOADS_BY_CUSTOMER = Rate("uploads", 30)
MAILS_BY_CUSTOMER = Rate("mails", 10)
WRONG_PASSWORDS = Rate("passwords", 20)


def count(rate: Rate, who: str) -> None:
    """One more of these by `who`. Raises TooMany past the rate: a sliding minute, estimated from this one and the one before."""
    at = time.time()
    window, into = int(at // WINDOW), at % WINDOW
    try:
        now, before = tally.add(rate, who, window)
    except (redis.RedisError, OSError):
        return  # without the shared count nobody is refused: what the rates protect has limits of its own
    if _is_past(rate, now, before, into):
        raise TooMany(retry_after=max(1.0, (WINDOW - into) / 2))


def count_all(counted: Sequence[tuple[Rate, str]]) -> list[bool]:
    """The same for many in one round trip: whether each is within its rate."""
    at = time.time()
    window, into = int(at // WINDOW), at % WINDOW
    try:
        found = tally.add_all(counted, window)
    except (redis.RedisError, OSError):
        return [True for _ in counted]
    return [not _is_past(rate, *one, into) for (rate, _who), one in zip(counted, found, strict=True)]


def count_quietly(rate: Rate, who: str) -> bool | None:
    """The same without waiting: whether there may be one more; None, and nothing is counted, where `count` would ask the others."""
    at = time.time()
    window, into = int(at // WINDOW), at % WINDOW
    counted = tally.add_quietly(rate, who, window)
    return None if counted is None else not _is_past(rate, *counted, into)


def _is_past(rate: Rate, now: int, before: int, into: float) -> bool:
    return now + before * (1 - into / WINDOW) > rate.limit


def count_anonymous(request: Any, key: str) -> None:
    """A caller without a session: by address and by key. A long poll's later rounds are not counted again."""
    if longpoll.is_repeat(request):
        return
    count(ANONYMOUS_BY_ADDRESS, address_of(request))
    count(ANONYMOUS_BY_KEY, key)


def address_of(request: Any) -> str:
    """The client's address; of an IPv6 one the network of 64 bits, which is one household."""
    http: HttpRequest = getattr(request, "_request", request)
    address = str(http.META.get("REMOTE_ADDR", ""))
    return ":".join(address.split(":")[:4]) if ":" in address else address


def _is_high(rate: Rate) -> bool:
    return rate.limit >= 200


class _Tally:
    """What this process has counted in this minute: what it has told, with what all have counted by then, and what it has not."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """As in a new process."""
        self.window = 0
        self.untold: dict[tuple[str, str], int] = {}  # by rate and caller
        self.known: dict[tuple[str, str], tuple[int, int]] = {}

    def add(self, rate: Rate, who: str, window: int) -> tuple[int, int]:
        """One more: how many there are in this minute now, and were in the one before."""
        if not _is_high(rate):
            return _counted([(rate, who, 1)], window)[0]
        key = rate.name, who
        with self.lock:
            self._begin(window)
            untold = self.untold.get(key, 0) + 1
            is_told = untold >= rate.limit // 100
            self.untold[key] = 0 if is_told else untold
            now, before = self.known.get(key, (0, 0))
        if not is_told:
            return now + untold, before
        counted = self.known[key] = _counted([(rate, who, untold)], window)[0]
        return counted

    def add_all(self, counted: Sequence[tuple[Rate, str]], window: int) -> list[tuple[int, int]]:
        """One more of each, all of them told."""
        with self.lock:
            self._begin(window)
            told = [(rate, who, self.untold.pop((rate.name, who), 0) + 1) for rate, who in counted]
        found = _counted(told, window)
        self.known.update(
            {(rate.name, who): one for (rate, who, _n), one in zip(told, found, strict=True) if _is_high(rate)}
        )
        return found

    def add_quietly(self, rate: Rate, who: str, window: int) -> tuple[int, int] | None:
        """The same; None, and nothing is added, when it is time to tell."""
        key = rate.name, who
        with self.lock:
            self._begin(window)
            untold = self.untold.get(key, 0) + 1
            if untold >= rate.limit // 100:
                return None
            self.untold[key] = untold
            now, before = self.known.get(key, (0, 0))
        return now + untold, before

    def _begin(self, window: int) -> None:
        if window != self.window:
            self.window, self.untold, self.known = window, {}, {}


tally = _Tally()


def _counted(told: Sequence[tuple[Rate, str, int]], window: int) -> list[tuple[int, int]]:
    """So many more of each, for all processes."""
    shared: Any = cache  # contactcenter.cache
    names = [(f"rate:{rate.name}:{who}", number) for rate, who, number in told]
    counts = [(f"{name}:{window}", number, f"{name}:{window - 1}") for name, number in names]
    found: list[tuple[int, int]] = shared.tally(counts, 2 * WINDOW)
    return found
