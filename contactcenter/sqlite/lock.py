"""A fair lock: whoever waits longest is next."""

import threading
from collections import deque


class FairLock:
    """A mutex that is handed over in the order of asking.

    threading.Lock lets the thread that just released take it again at once; under load some threads then wait for
    seconds while others pass twice. The owner may be released by any thread.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, timeout: float) -> bool:
        """Whether the lock is ours; False when `timeout` seconds have passed."""
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(timeout):
            return True
        with self._mutex:
            # The turn may have come between the end of waiting and here; then the lock is ours after all.
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Hand over to the next, or leave free."""
        with self._mutex:
            if not self._is_held:
                raise RuntimeError("The lock is not held.")
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_held = False
