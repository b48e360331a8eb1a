"""The press: a process of its own that reads a transcript as JSON and writes a PDF. It imports nothing of Django.

What people wrote is drawn as glyphs and is never a path, an address or markup here; should that ever be wrong, the process
can open no socket, start no program, read nothing but its fonts and libraries, and gets only so much time and memory.
"""

import json
import resource
import sys
import sysconfig
from pathlib import Path
from typing import Any

from .broadsheet import print_transcript
from .faces import OWN, SERVER

MEMORY = 1536 * 1024 * 1024  # bytes of address space
SECONDS = 30  # of one core; the parent's own deadline comes first
FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "ctypes.", "urllib.", "http.", "ftplib.", "smtplib.", "shutil.", "pty.")  # fmt: skip
READABLE = tuple(
    f"{Path(str(folder)).resolve()}/"
    for folder in (*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), OWN, *SERVER)
)


def main() -> None:
    """Read standard input, write standard output."""
    confine()
    document = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(print_transcript(document))


def confine() -> None:
    """Give up what setting type does not need. There is no way back."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        _check_open(*arguments)
    elif event.startswith(FORBIDDEN):
        raise PermissionError(f"The press may not do this: {event}")


def _check_open(path: Any, mode: str | None, flags: int) -> None:
    if isinstance(path, int):  # standard input and output are open already
        return
    name = path.decode() if isinstance(path, bytes) else str(path)
    wants_to_write = flags & 3 or any(letter in (mode or "r") for letter in "wax+")
    # Resolved by hand: links in a folder that we trust may lead elsewhere only if whoever runs the server put them there.
    if wants_to_write or ".." in Path(name).parts or not name.startswith(READABLE):
        raise PermissionError(f"The press may not open {name}.")


if __name__ == "__main__":
    main()
