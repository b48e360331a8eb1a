"""The threads of this door."""

from collections.abc import Callable
from typing import Any, TypeVar

from chats.doors.socketio.threads import Crew

Result = TypeVar("Result")

crew = Crew("hyperchat", 4)
# For what may ask somebody else's server first, for seconds: such events wait for each other, and nobody else does.
slow_crew = Crew("hyperchat-slow", 2)


async def in_thread(function: Callable[..., Result], *args: Any, is_slow: bool = False) -> Result:
    return await (slow_crew if is_slow else crew).do(function, *args)
