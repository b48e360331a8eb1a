"""How fast a client may send: who is faster is read more slowly. Nothing is refused for it, and nothing is lost."""

import asyncio
import time

PER_SECOND = 30.0
BURST = 60.0
LONGEST_WAIT = 2.0  # seconds; a client that sends this much at once waits again with the next


class Pace:
    """A bucket that fills by PER_SECOND."""

    def __init__(self) -> None:
        self.left = BURST
        self.at = time.monotonic()

    async def take(self, number: int = 1) -> None:
        """Wait until so many more are bearable."""
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * PER_SECOND) - number
        self.at = now
        if self.left < 0:
            await asyncio.sleep(min(-self.left / PER_SECOND, LONGEST_WAIT))
