"""What runs beside the sockets for as long as the server serves: the hub, the poster, the pulse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from chats.live import hub

from .poster import poster
from .pulse import pulse
from .threads import close_kept_connections


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Entered by the server's lifespan."""
    hub.start(asyncio.get_running_loop())
    pulse.start()
    try:
        yield
    finally:
        await pulse.stop()
        # What was posted is stored, even if nobody is left to be told.
        await asyncio.get_running_loop().run_in_executor(None, poster.stop)
        await close_kept_connections()
        await hub.stop()
