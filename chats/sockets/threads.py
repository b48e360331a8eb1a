"""From the event loop to the database and back: a few threads for all sockets of the process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.db import Error, connection

# All of Django's thread-sensitive work would share one thread; REST has threads of its own.
THREADS = 4
pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sockets")
# For what the process does for all of its sockets at once. A rush of frames, each with its transaction, must not keep agents'
# leases from being renewed, or logs from being read.
SHARED_THREADS = 2
shared_pool = ThreadPoolExecutor(SHARED_THREADS, thread_name_prefix="pulse")
# For plain calls (chats.doors.fast_path), all of them together: one reads, one begins chats. Each keeps its connection: taking one out of the pool costs as
# much as a look.
fast_pool = ThreadPoolExecutor(1, thread_name_prefix="fast")
begin_pool = ThreadPoolExecutor(1, thread_name_prefix="begin")

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """Run one client's sync code that asks the database. Connections are given back afterwards."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=pool)
    return await call(*args, **options)  # type: ignore[no-any-return]


async def in_shared_thread(function: Callable[..., Result], *args: Any, **options: Any) -> Result:
    """The same for all clients at once: never behind what single clients want."""
    call: Any = database_sync_to_async(function, thread_sensitive=False, executor=shared_pool)
    return await call(*args, **options)  # type: ignore[no-any-return]


async def in_fast_thread(function: Callable[..., Result], *args: Any) -> Result:
    """The same for what many calls by HTTP want to know."""
    return await asyncio.get_running_loop().run_in_executor(fast_pool, _in_kept_connection, function, *args)


async def in_begin_thread(function: Callable[..., Result], *args: Any) -> Result:
    """The same for the chats that many calls begin."""
    return await asyncio.get_running_loop().run_in_executor(begin_pool, _in_kept_connection, function, *args)


async def close_kept_connections() -> None:
    """Give them back, until these threads are asked again."""
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(kept, _give_back) for kept in (fast_pool, begin_pool)))


def _in_kept_connection(function: Callable[..., Result], *args: Any) -> Result:
    try:
        return function(*args)
    except Error:
        connection.close()  # it may be that which is broken
        raise


def _give_back() -> None:
    connection.close()  # this thread's own
