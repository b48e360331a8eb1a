"""From the event loop to the database and back: a few threads for all sockets of the process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async

# All of Django's thread-sensitive work would share one thread; REST has threads of its own.
THREADS = 4
pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
# For what the process does for all of its sockets at once. A rush of frames, each with its transaction, must not keep agents'
# leases from being renewed, or logs from being read.
SHARED_THREADS = 2
shared_pool = ThreadPoolExecutor(SHARED_THREADS, thread_name_prefix="pulse")

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """Run one client's sync code that asks the database. Connections are given back afterwards."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=pool)
    return await call(*args, **options)  # type: ignore[no-any-return]


async def in_shared_thread(function: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """The same for all clients at once: never behind what single clients want."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=shared_pool)
    return await call(*args, **options)  # type: ignore[no-any-return]
