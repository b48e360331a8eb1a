"""The cache that all processes share, and what is done while its Redis is away or hangs: each process counts for itself.

What stands in it is never the truth (rate limits, mostly), so an answer from memory is right enough. Waiting is not: a thread that
waits for Redis is one that serves nobody.
"""

import time
from typing import Any, ClassVar

import redis
import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.utils.functional import cached_property

log = structlog.get_logger(__name__)

SECONDS = 0.5  # for one command, and for connecting
REST_SECONDS = 5.0  # after a failure, before Redis is asked again
MOST_KEYS = 20_000  # in memory
COMMANDS = (
    *("add", "get", "set", "touch", "delete", "has_key", "incr", "clear"),
    *("get_many", "set_many", "delete_many"),
)


class SharedCache(RedisCache):
    """Redis where it answers; this process's memory where it does not."""

    # Django makes a new object for every request: what is dear, and what was learnt, is the process's.
    clients: ClassVar[dict[str, Any]] = {}
    away_until: ClassVar[float] = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self.key = server
        self.memory = LocMemCache("shared-cache-away", {**params, "OPTIONS": {"MAX_ENTRIES": MOST_KEYS}})

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
