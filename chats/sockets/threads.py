"""From the event loop to the database and back: a few threads for all sockets of the process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async

# All of Django's thread-sensitive work would share one thread; REST has threads of its own.
THREADS = 4
pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """Run sync code that asks the database. Connections are given back afterwards."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=pool)
    return await call(*args, **options)  # type: ignore[no-any-return]
