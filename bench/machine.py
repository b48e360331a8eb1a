"""What the machine says: cores, CPU seconds, memory. Where /proc is missing, zeros."""

import contextlib
import ctypes
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
SIGTERM = signal.SIGTERM
TICKS = os.sysconf("SC_CLK_TCK")


def cores() -> tuple[set[int], set[int]]:
    """(the server's, everybody else's); the same one where there is only one. Asked before anybody is pinned."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, set(usable[1:]) or {usable[0]}


def on(mine: set[int]) -> Callable[[], None]:
    """For Popen: the child runs on these cores and ends with us."""

    def prepare() -> None:
        os.sched_setaffinity(0, mine)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGTERM)

    return prepare


def cpu_of(pid: int) -> float:
    """Seconds of CPU that the process and all its threads have used."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def memory_of(pid: int) -> float:
    """KB that the process has in memory; 0 once it has ended. A page that is there for several, or by several mappings of one file, counts in parts (Pss)."""
    lines: list[str] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)


def descendants(pid: int) -> Iterator[int]:
    """The processes that this one has started, and those that they have."""
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)


def backends(database: str) -> Iterator[int]:
    """The processes with which PostgreSQL on this machine serves this database."""
    mark = f" {database} ".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            said = (folder / "cmdline").read_bytes()
            if said.startswith(b"postgres: ") and mark in said:
                yield int(folder.name)


def pin_backends(database: str, theirs: set[int]) -> None:
    """Away from the server's core, where we may: what the kernel puts there counts as the server's slowness."""
    for pid in backends(database):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, theirs)


def described() -> dict[str, Any]:
    server, others = cores()
    return {
        "cpu": _cpu_name(),
        "cores": len(server | others),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
