"""From the event loop to the database and back, on threads of this door's own: a search may take seconds, and our own sockets must not wait for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.utils import translation

THREADS = 6
pool = ThreadPoolExecutor(THREADS, thread_name_prefix="hyperchat")

Result = TypeVar("Result")


async def in_thread(function: Callable[..., Result], *args: Any) -> Result:
    """Run sync code in English, the language of this API's errors. Connections are given back afterwards."""
    call: Any = database_sync_to_async(_in_english, thread_sensitive=False, executor=pool)
    return await call(function, *args)  # type: ignore[no-any-return]


def _in_english(function: Callable[..., Result], *args: Any) -> Result:
    with translation.override("en"):
        return function(*args)
