"""One process on SQLite with everything in it, on a disk that can be full: a small tmpfs as root, else a limit on the size of its files."""

# ruff: noqa: S603, S607 - the programs are our own and the system's

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.stack import ROOT, free_port

from .clocks import Clocks
from .plan import Kind
from .services import OWN, run_cast
from .wire import Wire

NAME = "server"
DISK = "256m"
STRANGE = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY", "FIELD_KEYS"}


class Embedded:
    """The same face as Services."""

    menu = {
        "kill": Kind([NAME], (0.2, 2)),
        "term": Kind([NAME], (0.2, 1)),
        "clock": Kind([NAME], (3, 12), wrong=10),
        "pause": Kind([NAME], (1, 8)),
        "full_disk": Kind([NAME], (1, 4)),
        "cut": Kind([NAME], (0, 0)),
        "half_open": Kind([NAME], (1, 6)),
        "stall": Kind([NAME], (1, 4)),
        "tear": Kind([NAME], (0.3, 1.5)),
        "delay": Kind([NAME], (2, 5)),
        "refuse": Kind([NAME], (1, 3)),
    }

    def __init__(self, folder: Path, hooks: dict[str, str], mail_url: str) -> None:
        self.folder, self.hooks, self.mail_url = folder, hooks, mail_url
        self.clocks = Clocks(folder)
        self.disk = Path(tempfile.mkdtemp(prefix="faults-disk-"))
        self.is_mounted = mount(self.disk)
        self.port = free_port()
        self.wires = {NAME: Wire(free_port(), self.port)}
        self.process: subprocess.Popen[bytes] | None = None
        self.restarted: list[str] = []

    @property
    def doors(self) -> list[str]:
        return [f"http://127.0.0.1:{self.wires[NAME].port}"]

    @property
    def probe_url(self) -> str:
        return str(self.disk / "data/db.sqlite3")

    @property
    def environment(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if name not in STRANGE}
        own = {"DATA_DIR": str(self.disk / "data"), "BASE_URL": f"http://127.0.0.1:{self.port}"}
        return {**plain, **own, "LOG_LEVEL": "WARNING", "EMAIL_URL": self.mail_url, **OWN}

    async def begin(self) -> dict[str, Any]:
        await self.wires[NAME].open()
        cast = await asyncio.to_thread(self._fill)
        await asyncio.to_thread(self.start_again, NAME)
        await asyncio.to_thread(self.wait_healed)
        return cast

    def _fill(self) -> dict[str, Any]:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.environment, check=True)
        return run_cast(self.environment, self.hooks)

    def start_again(self, _name: str) -> None:
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        environment = self.environment | self.clocks.environment(NAME)
        with (self.folder / "server.log").open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def kill(self, _name: str) -> None:
        self._send(signal.SIGKILL)
        if self.process:
            self.process.wait(10)

    def terminate(self, _name: str, seconds: float = 60) -> bool:
        """SIGTERM; whether it ended by itself."""
        assert self.process is not None  # noqa: S101 - it runs
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        is_done = self.process.poll() is not None
        self.kill(NAME)
        return is_done

    def pause(self, _name: str) -> None:
        self._send(signal.SIGSTOP)

    def resume(self, _name: str) -> None:
        self._send(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Not one more byte."""
        if not self.is_mounted:
            self._limit(1)
            return
        with (self.disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def free_disk(self) -> None:
        if not self.is_mounted:
            self._limit(resource.RLIM_INFINITY)
        (self.disk / "ballast").unlink(missing_ok=True)

    def wait_healed(self) -> None:
        for name in self.ended():
            self.start_again(name)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2),
            ):
                return
            time.sleep(0.2)
        raise SystemExit(f"The server did not come up: {self.folder}/server.log")

    def tend(self) -> None:
        """Nobody restarts the one process: it may not end."""

    def ended(self) -> list[str]:
        return [NAME] if self.process is None or self.process.poll() is not None else []

    def end(self) -> None:
        self.resume(NAME)
        self.kill(NAME)
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.disk)], check=False)
        else:
            subprocess.run(["rm", "-r", str(self.disk)], check=False)
        with contextlib.suppress(OSError):
            self.disk.rmdir()

    def _limit(self, size: int) -> None:
        """Of each file that the process writes: what it wants to append is refused."""
        if self.process:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _send(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, number)


def mount(folder: Path) -> bool:
    """Whether a disk of its own could be made there."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "faults", str(folder)]
    try:
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
