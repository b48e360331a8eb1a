"""A flag and a queue like asyncio's, which hold next to nothing while nobody waits: asyncio's own keep deques of 760 bytes for ever."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Flag:
    """asyncio.Event."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self, *, is_set: bool = False) -> None:
        self._is_set = is_set
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        if self._is_set:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future in self._waiting:
                self._waiting.remove(future)
            raise


class Inbox(Generic[Item]):
    """asyncio.Queue without an end, for one who takes at a time."""

    __slots__ = ("_arrived", "_items")

    def __init__(self) -> None:
        self._items: deque[Item] | None = None
        self._arrived = Flag()

    def put_nowait(self, item: Item) -> None:
        if self._items is None:
            self._items = deque()
        self._items.append(item)
        self._arrived.set()

    def empty(self) -> bool:
        return not self._items

    async def get(self) -> Item:
        while not self._items:
            self._arrived.clear()
            await self._arrived.wait()
        item = self._items.popleft()
        if not self._items:
            self._items = None
        return item
