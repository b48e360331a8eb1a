"""A PostgreSQL cluster of our own on loopback: it can be killed, started again and made read-only, whoever else uses the machine's."""

# ruff: noqa: S603 - the programs are PostgreSQL's

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from bench.stack import free_port

SETTINGS = "max_connections = 200\nlisten_addresses = '127.0.0.1'\nshared_buffers = 64MB\n"
NAME = "postgres"


def programs() -> Path:
    """Where initdb and postgres are: the newest of Debian's, else whatever the PATH knows."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("postgres")
    if not found and not on_path:
        raise SystemExit("PostgreSQL is not installed. On Debian: apt-get install postgresql.")
    return (found[-1] if found else Path(str(on_path))).parent


class Cluster:
    """`create` once, then `start`; durable as PostgreSQL is out of the box."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.folder = Path(tempfile.mkdtemp(prefix="faults-postgres-"))
        self.process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = {"user": NAME, "group": pwd.getpwnam(NAME).pw_gid, "extra_groups": []}
            shutil.chown(self.folder, NAME)

    def create(self) -> None:
        command = [programs() / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        plain = ["--locale=C.UTF-8", "--no-instructions"]
        subprocess.run([*command, *plain], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._user)
        with (self.folder / "data/postgresql.conf").open("a") as stream:
            stream.write(f"{SETTINGS}port = {self.port}\nunix_socket_directories = '{self.folder}'\n")

    def start(self) -> None:
        """Returns when it answers. What a killed one left behind in memory can stand in the way of the first tries."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                self._begin()
            with contextlib.suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=2):
                return
            time.sleep(0.2)
        raise SystemExit(f"PostgreSQL did not start: {self.folder}/log")

    def _connected(self) -> "psycopg.Connection[Any]":
        """A connection, as soon as one comes about: after a crash it takes its time to recover."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(self.url, autocommit=True, connect_timeout=2)
            except psycopg.Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def kill(self) -> None:
        """kill -9 of all of its processes."""
        for pid in self._everybody():
            _send(pid, signal.SIGKILL)
        if self.process:
            self.process.wait(10)

    def pause(self) -> None:
        for pid in self._everybody():
            _send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in self._everybody():
            _send(pid, signal.SIGCONT)

    def set_read_only(self, *, is_read_only: bool) -> None:
        """For every transaction that begins from now on."""
        with self._connected() as connection:
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if is_read_only else 'off'}")
            connection.execute("SELECT pg_reload_conf()")

    def destroy(self) -> None:
        self.resume()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self) -> None:
        with (self.folder / "log").open("ab") as output:
            command = [str(programs() / "postgres"), "-D", str(self.folder / "data")]
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=self.folder, start_new_session=True, **self._user
            )

    def _everybody(self) -> list[int]:
        """The postmaster, and its children, which have groups of their own."""
        if self.process is None or self.process.poll() is not None:
            return []
        return [self.process.pid, *_children(self.process.pid)]


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
