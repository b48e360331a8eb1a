"""How often somebody may knock: counted in the cache, so that all server processes count together.

Of a high rate each process tells the others by the hundredth part: so much more than the limit may come in, and no request waits for Redis.
"""

import threading
import time
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
        at_once = rate.limit // 100
        if at_once < 2:
            return _counted(rate.name, who, window, 1)
        key = rate.name, who
        with self.lock:
            self._begin(window)
            untold = self.untold.get(key, 0) + 1
            is_told = untold >= at_once
            self.untold[key] = 0 if is_told else untold
            now, before = self.known.get(key, (0, 0))
        if not is_told:
            return now + untold, before
        counted = self.known[key] = _counted(rate.name, who, window, untold)
        return counted

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


def _counted(name: str, who: str, window: int, number: int) -> tuple[int, int]:
    """So many more, for all processes."""
    shared: Any = cache  # contactcenter.cache
    counted: tuple[int, int] = shared.tally(
        f"rate:{name}:{who}:{window}", number, 2 * WINDOW, f"rate:{name}:{who}:{window - 1}"
    )
    return counted
