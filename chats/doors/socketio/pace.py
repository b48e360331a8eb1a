"""How fast a client may send: who is faster is read more slowly. Nothing is refused for it, and nothing is lost."""

import asyncio
import time

PER_SECOND = 30.0
BURST = 60.0
TRUSTED_PER_SECOND = 500.0  # of a program that has shown a secret: it speaks for many customers
LONGEST_WAIT = 2.0  # seconds; a client that sends this much at once waits again with the next


class Pace:
    """A bucket that fills by `per_second`."""

    def __init__(self) -> None:
        self.per_second = PER_SECOND
        self.left = BURST
        self.at = time.monotonic()

    async def take(self, number: int = 1) -> None:
        """Wait until so many more are bearable."""
        now = time.monotonic()
        self.left = min(BURST, self.left + (now - self.at) * self.per_second) - number
        self.at = now
        if self.left < 0:
            await asyncio.sleep(min(-self.left / self.per_second, LONGEST_WAIT))

    def trust(self) -> None:
        """It may send faster from now on."""
        self.per_second = TRUSTED_PER_SECOND
