"""From the event loop to the database and back, on threads of a door's own: our own sockets never wait for foreign clients."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.utils import translation

Result = TypeVar("Result")


class Crew:
    """A door's threads."""

    everyone: "list[Crew]" = []

    def __init__(self, name: str, threads: int) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        Crew.everyone.append(self)

    async def do(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run sync code in English, the language of foreign APIs' errors. Connections are given back afterwards."""
        call: Any = database_sync_to_async(_in_english, thread_sensitive=False, executor=self.pool)
        return await call(function, *args)  # type: ignore[no-any-return]


def _in_english(function: Callable[..., Result], *args: Any) -> Result:
    with translation.override("en"):
        return function(*args)
