"""What listeners of events.whispered do with the database.

Sockets whisper on the event loop, which must neither wait nor ask the database: there the work goes to a thread, which does one thing after
the other. Elsewhere it is done at once. A whisper may be lost, and whoever whispers never fails for it.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from django.db import close_old_connections

from contactcenter.outage import is_outage

log = structlog.get_logger(__name__)

MOST_PENDING = 1000


class Aside:
    """One a process; its thread begins with the first call."""

    def __init__(self, most_pending: int = MOST_PENDING) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._places = threading.BoundedSemaphore(most_pending)

    def do(self, function: Callable[..., Any], *args: Any) -> None:
        """Call it; on an event loop soon, in the order of asking. What finds too many before it is dropped."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            _do(function, *args)
            return
        if self._places.acquire(blocking=False):
            self._thread.submit(self._run, function, *args)

    def _run(self, function: Callable[..., Any], *args: Any) -> None:
        close_old_connections()
        try:
            _do(function, *args)
        finally:
            close_old_connections()
            self._places.release()


def _do(function: Callable[..., Any], *args: Any) -> None:
    try:
        function(*args)
    except Exception as error:  # the outermost door of a whisper
        if is_outage(error):
            log.warning("a whisper was lost", error=type(error).__name__)
        else:
            log.exception("a whisper was lost", listener=repr(function)[:200])


aside = Aside()
