"""How often somebody may knock: counted in the cache, so that all server processes count together."""

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
        now, before = _counted(rate.name, who, window)
    except (redis.RedisError, OSError):
        return  # without the shared count nobody is refused: what the rates protect has limits of its own
    if now + before * (1 - into / WINDOW) > rate.limit:
        raise TooMany(retry_after=max(1.0, (WINDOW - into) / 2))


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


def _counted(name: str, who: str, window: int) -> tuple[int, int]:
    key = f"rate:{name}:{who}:{window}"
    cache.add(key, 0, 2 * WINDOW)
    try:
        now = cache.incr(key)
    except ValueError:  # it expired between the two
        now = 1
    return now, cache.get(f"rate:{name}:{who}:{window - 1}", 0)
