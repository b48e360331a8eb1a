"""The threads of this door."""

from collections.abc import Callable
from typing import Any, TypeVar

from chats.doors.socketio.threads import Crew

Result = TypeVar("Result")

crew = Crew("expertflow", 4)


async def in_thread(function: Callable[..., Result], *args: Any) -> Result:
    return await crew.do(function, *args)
