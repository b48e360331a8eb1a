"""The cache that all processes share, and what is done while its Redis is away or hangs: each process counts for itself.

What stands in it is never the truth (rate limits, mostly), so an answer from memory is right enough. Waiting is not: a thread that
waits for Redis is one that serves nobody.
"""

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import redis
import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property

log = structlog.get_logger(__name__)

SECONDS = 0.5  # for one command, and for connecting
REST_SECONDS = 5.0  # after a failure, before Redis is asked again
MOST_KEYS = 20_000  # in memory
COMMANDS = (
    *("add", "get", "set", "touch", "delete", "has_key", "incr", "clear"),
    *("get_many", "set_many", "delete_many", "tally"),
)

Count = tuple[str, int, str]


class MemoryCache(LocMemCache):
    """Of one process."""

    def tally(self, counts: Sequence[Count], seconds: int) -> list[tuple[int, int]]:
        """For each (key, number, other): so many more under this key, which lasts so long: how many there are now, and how many under another."""
        return [self._tally(key, number, other, seconds) for key, number, other in counts]

    def _tally(self, key: str, number: int, other: str, seconds: int) -> tuple[int, int]:
        self.add(key, 0, seconds)
        try:
            now = self.incr(key, number)
        except ValueError:  # it expired between the two
            now = number
        return now, self.get(other, 0)


class Client(RedisCacheClient):
    """Django's, which makes a client of redis-py for each command: that costs more than the command."""

    @cached_property
    def kept(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self.kept

    def tally(self, counts: Sequence[Count], seconds: int) -> list[tuple[int, int]]:
        with self.kept.pipeline(transaction=False) as asked:
            for key, number, other in counts:
                asked.incrby(key, number).expire(key, seconds).get(other)
            found = asked.execute()
        return [(now, int(before or 0)) for now, before in zip(found[::3], found[2::3], strict=True)]


class TallyCache(RedisCache):
    """Redis, which adds up in one round trip."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client

    def tally(self, counts: Sequence[Count], seconds: int) -> list[tuple[int, int]]:
        """As MemoryCache.tally; of one server."""
        client: Any = self._cache
        name = self.make_and_validate_key
        found: list[tuple[int, int]] = client.tally([(name(key), n, name(other)) for key, n, other in counts], seconds)
        return found


class SharedCache(TallyCache):
    """Redis where it answers; this process's memory where it does not."""

    # Django makes a new object for every request: what is dear, and what was learnt, is the process's.
    clients: ClassVar[dict[str, Any]] = {}
    away_until: ClassVar[float] = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self.key = server
        self.memory = MemoryCache("shared-cache-away", {**params, "OPTIONS": {"MAX_ENTRIES": MOST_KEYS}})

    @cached_property
    def _cache(self) -> Any:
        return self.clients.setdefault(self.key, self._class(self._servers, **self._options))  # type: ignore[attr-defined]  # missing in the stubs

    def ask(self, command: str, *args: Any, **options: Any) -> Any:
        """The command's answer, from whoever answers."""
        if time.monotonic() >= SharedCache.away_until:
            try:
                return getattr(super(), command)(*args, **options)
            except (redis.RedisError, OSError) as error:
                SharedCache.away_until = time.monotonic() + REST_SECONDS
                log.warning("shared cache away", error=type(error).__name__)
        return getattr(self.memory, command)(*args, **options)


def _asking(command: str) -> Any:
    def method(self: SharedCache, *args: Any, **options: Any) -> Any:
        return self.ask(command, *args, **options)

    return method


for _command in COMMANDS:
    setattr(SharedCache, _command, _asking(_command))
