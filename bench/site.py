"""What is measured: a server with everything around it, and the floor beside it, on a core of their own."""

# ruff: noqa: S603, PLW1509 - the programs are our own and the system's

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import machine

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = "postgres://postgres@127.0.0.1:5432"
# Nothing of whoever calls: the figures are those of the defaults.
LEFT_OUT = (
    "DATABASE",
    "REDIS",
    "CELERY",
    "SECRET",
    "FIELD_KEYS",
    "DATA_DIR",
    "BASE_URL",
    "DEBUG",
    "PGOPTIONS",
    "HTTP_THREADS",
    "DJANGO",
)


class Running:
    """A process of ours and the port where it answers."""

    def __init__(self, command: list[str], port: int, environment: dict[str, str], mine: set[int]) -> None:
        self.port = port
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=machine.on(mine)
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self) -> float:
        """Seconds from its start until it said ready."""
        for line in self.process.stdout or ():
            if line.strip() == "ready":
                return time.perf_counter() - self.started
        raise SystemExit("The server did not start.")

    def cpu(self) -> float:
        return machine.cpu_of(self.pid)

    def memory(self) -> float:
        return machine.memory_of(self.pid)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Site:
    """`engine` is postgresql (with a Redis of its own, a worker and beat, as the Procfile has them) or sqlite (all in one process)."""

    web: Running
    floor: Running

    def __init__(self, engine: str, *, seconds: float, rounds: int, port: int) -> None:
        self.engine, self.seconds, self.rounds, self.port = engine, seconds, rounds, port
        self.pause = min(0.5, seconds / 5)  # between two measurements: what the last one left behind is done
        self.server_cores, self.our_cores = machine.cores()
        self.children = contextlib.ExitStack()
        self.servers: list[Running] = []
        self.database = f"bench_{secrets.token_hex(4)}" if engine == "postgresql" else ""

    def __enter__(self) -> "Site":
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        for server in self.servers:
            server.stop()
        self.children.close()

    def restart(self) -> float:
        """Fresh servers; the seconds that ours took to say ready."""
        while self.servers:
            self.servers.pop().stop()
        serve = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        self.web = Running(serve, self.port, self.environment, self.server_cores)
        self.servers.append(self.web)
        took = self.web.wait_ready()
        bare = [sys.executable, "-m", "bench.floor", "--port", str(self.port + 1), "--database", self.floor_database]
        self.floor = Running(bare, self.port + 1, self.environment, self.server_cores)
        self.servers.append(self.floor)
        self.floor.wait_ready()
        return took

    def settle(self) -> None:
        """Before each measurement: the database is not on the server's core, where we may say so."""
        self.tidy()
        if self.database:
            machine.pin_backends(self.database, self.our_cores)

    def tidy(self) -> None:
        """What autovacuum does each minute; here it may be off, or in the middle of a measurement."""
        if self.database:
            import psycopg

            with psycopg.connect(self.floor_database, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")

    def database_cpu(self) -> float:
        """Of PostgreSQL's processes for us; SQLite's work is the server's own."""
        return sum(map(machine.cpu_of, machine.backends(self.database))) if self.database else 0.0

    # Beginning ----------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.data = Path(self.children.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        os.sched_setaffinity(0, self.our_cores)
        self.environment = self._environment()
        if self.database:
            self.children.enter_context(_database(self.postgres, self.database))
        # Seeding is done here, with the same settings.
        os.environ.clear()
        os.environ.update(self.environment)
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
        if "REDIS_URL" in self.environment:
            self._begin_services()
        self.restart()
        import django

        django.setup()
        from django.db import connections

        self.children.callback(connections.close_all)
        self._furnish()

    def _furnish(self) -> None:
        """Chats of another center: nobody works with an empty database, of which PostgreSQL thinks that reading it whole is fastest."""
        from bench.cast import Cast

        Cast.new().add_chats(300, agents=6, lines=20)
        self.tidy()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
        from cryptography.fernet import Fernet

        own = {
            "DATA_DIR": str(self.data),
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "FIELD_KEYS": Fernet.generate_key().decode(),
            "LOG_LEVEL": "ERROR",
            "ANONYMOUS_RATE": "1000000",
            "DEMO_SITE": "0",
            "DJANGO_SETTINGS_MODULE": "contactcenter.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # our own seeding, between two measurements
            "PYTHONUNBUFFERED": "1",
        }
        self.floor_database = str(self.data / "floor.sqlite3")
        if self.database:
            self.postgres = kept.get("TEST_DATABASE_URL") or POSTGRES
            own["DATABASE_URL"] = self.floor_database = (
                urlsplit(self.postgres)._replace(path=f"/{self.database}").geturl()
            )
            if shutil.which("redis-server"):  # without one: everything in one process, on PostgreSQL
                own["REDIS_URL"] = f"redis://127.0.0.1:{self.port + 2}/0"
        return kept | own

    def _begin_services(self) -> None:
        redis = [
            "redis-server",
            "--port",
            str(self.port + 2),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._start([*redis, "--dir", str(self.data), "--logfile", "redis.log"])
        _until_open(self.port + 2)
        celery = [sys.executable, "-m", "celery", "-A", "contactcenter"]
        self._start([*celery, "worker", "--concurrency", "1", "--loglevel", "ERROR"])
        self._start([*celery, "beat", "--schedule", str(self.data / "beat"), "--loglevel", "ERROR"])

    def _start(self, command: list[str]) -> None:
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        begun = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, preexec_fn=machine.on(self.our_cores), **quiet
        )
        self.children.callback(begun.wait)
        self.children.callback(begun.terminate)


@contextlib.contextmanager
def _database(postgres: str, name: str) -> Iterator[None]:
    import psycopg

    with psycopg.connect(urlsplit(postgres)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _until_open(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"Nothing answers at port {port}.")
