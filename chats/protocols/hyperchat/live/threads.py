"""From the event loop to the database and back, on threads of this door's own: our own sockets never wait for foreign clients."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.utils import translation

THREADS = 4
pool = ThreadPoolExecutor(THREADS, thread_name_prefix="hyperchat")
# For what may ask somebody else's server first, for seconds: such events wait for each other, and nobody else does.
SLOW_THREADS = 2
slow_pool = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="hyperchat-slow")

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], *args: Any, is_slow: bool = False) -> Result:
    """Run sync code in English, the language of this API's errors. Connections are given back afterwards."""
    executor = slow_pool if is_slow else pool
    call: Any = database_sync_to_async(_in_english, thread_sensitive=False, executor=executor)
    return await call(function, *args)  # type: ignore[no-any-return]


def _in_english(function: Callable[..., Result], *args: Any) -> Result:
    with translation.override("en"):
        return function(*args)
