"""Python runs this first in each of the product's processes: their clock goes wrong by the seconds that stand in FAULTS_CLOCK's file, at once.

Shifted is what the product tells the time by: time.time and django.utils.timezone.now. The monotonic clock, by which waiting is
measured, is not: no wrong date changes it.
"""

import mmap
import os
import struct
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path


def watch(path: Path) -> Callable[[], float]:
    """How wrong the clock is now. Read from memory that the harness writes to, since it is asked for at every look at the time."""
    with path.open("rb") as stream:
        memory = mmap.mmap(stream.fileno(), 8, access=mmap.ACCESS_READ)
    return lambda: float(struct.unpack_from("d", memory)[0])


def shift(wrong: Callable[[], float]) -> None:
    from django.utils import timezone

    right_seconds, right_moment = time.time, timezone.now

    def now() -> datetime:
        return right_moment() + timedelta(seconds=wrong())

    time.time = lambda: right_seconds() + wrong()
    timezone.now = now


if file := os.environ.get("FAULTS_CLOCK"):
    shift(watch(Path(file)))
