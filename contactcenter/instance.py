"""A running server as its DATA_DIR knows it: where it answers, and that there is only one."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process serves from this directory."""


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the directory. Its SQLite wants one process: a second one's writes would not share our lock.

    Raises AlreadyRunning.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / "instance.lock").open("w") as stream:
        try:
            # The kernel lets go of it however we end.
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"Another server already uses {data}. Stop it, or choose another --data.") from error
        yield


def announce(data: Path, url: str) -> None:
    """Write instance.json, from which other commands learn the URL."""
    data.mkdir(parents=True, exist_ok=True)
    draft = data / f".instance.{os.getpid()}"
    draft.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    draft.replace(data / "instance.json")


def withdraw(data: Path) -> None:
    """Remove instance.json if it is still ours."""
    file = data / "instance.json"
    with contextlib.suppress(FileNotFoundError, ValueError):
        if json.loads(file.read_text()).get("pid") == os.getpid():
            file.unlink()
