"""The set of processes of the Procfile, on loopback: PostgreSQL's database and Redis of their own, servers, workers and beat."""

# ruff: noqa: S101, S310, S603 - for tests and measurements; the programs are our own

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parents[1]
CELERY = [sys.executable, "-m", "celery", "-A", "contactcenter"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Started by `start`, ended by `stop`; each process can be killed and started again by its name."""

    template = "template1"  # what the database is copied from, before it is migrated

    def __init__(self, data: Path, postgres_url: str, *, workers: int = 1, **settings: str) -> None:
        self.data = data
        self.workers = [f"worker-{number}" for number in range(1, workers + 1)]
        self.settings = settings  # beside those that every run of ours has
        self.postgres_url = urlsplit(postgres_url)._replace(path="/postgres").geturl()
        self.database = f"services_{secrets.token_hex(4)}"
        self.redis_port = free_port()
        self.ports = {"web-1": free_port(), "web-2": free_port()}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.demo: dict[str, Any] = {}

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports.values()]

    @property
    def database_url(self) -> str:
        return urlsplit(self.postgres_url)._replace(path=f"/{self.database}").geturl()

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.redis_port}/0"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DATA_DIR": str(self.data),
            "BASE_URL": self.urls[0],
            "SECRET_KEY": "services" * 8,
            "FIELD_KEYS": "Kd7mWb4ZQ0cQyqv0Jm3u2Qz0Jm1bq6vJw5xk0c8n1xA=",
            "DEMO_SITE": "1",
            "LOG_LEVEL": "WARNING",
            "DATABASE_POOL_MAX": "8",  # other runs want some of PostgreSQL's hundred connections, too
            **self.settings,
        }

    def start(self) -> "Stack":
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self.database}" TEMPLATE "{self.template}"')
        self.start_redis()
        self.manage("migrate", "--verbosity", "0")
        self.fill()
        for name in [*self.ports, *self.workers, "beat"]:
            self.start_again(name)
        for url in self.urls:
            self.wait_ready(url)
        return self

    def fill(self) -> None:
        """What stands in the database before anything runs."""
        self.demo = json.loads(self.manage("demo", "--json"))

    def start_again(self, name: str) -> None:
        """One of the processes by its name, for the first time or after it was killed. Not waited for, but Redis is."""
        if name == "redis":
            self.start_redis()
        elif name == "beat":
            self._start(name, [*CELERY, "beat", "--schedule", str(self.data / "beat"), "--loglevel", "WARNING"])
        elif name in self.ports:
            self.start_web(name)
        else:
            self._start(name, [*CELERY, "worker", "-n", name, "--concurrency", "2", "--loglevel", "WARNING"])

    def start_redis(self) -> None:
        redis = shutil.which("redis-server") or "redis-server"
        options = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._start("redis", [redis, *options, "--dir", str(self.data)])
        _until(lambda: socket.create_connection(("127.0.0.1", self.redis_port), timeout=1).close() is None)

    def start_web(self, name: str) -> None:
        command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1", "--port", str(self.ports[name])]
        # As deploy/compose.yaml names them: nginx.py sends Socket.IO's sessions by these marks.
        self._start(name, command, SERVER_MARK=name.replace("-", ""))

    def wait_ready(self, url: str) -> None:
        _until(lambda: urllib.request.urlopen(f"{url}/readyz", timeout=2).status == 200)

    def manage(self, *arguments: str, timeout: float = 120) -> str:
        """Run a management command to its end; raises with what it said when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]} {done.stderr[-3000:]}"
        return done.stdout

    def begin(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """A management command that goes on beside the others; its output is in <data>/<name>.log."""
        return self._start(name, [sys.executable, "manage.py", *arguments])

    def said(self, name: str) -> str:
        return (self.data / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self.processes.pop(name)
        _kill_group(process, signal.SIGKILL)
        process.wait(10)

    def terminate(self, name: str, seconds: float = 60) -> bool:
        """SIGTERM to the process itself, as a service manager does; whether it ended by itself within so many seconds."""
        process = self.processes.pop(name)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        is_done = process.poll() is not None
        _kill_group(process, signal.SIGKILL)
        process.wait(10)
        return is_done

    def pause(self, name: str) -> None:
        """SIGSTOP: it holds all it has, and answers nobody."""
        _kill_group(self.processes[name], signal.SIGSTOP)

    def resume(self, name: str) -> None:
        if name in self.processes:
            _kill_group(self.processes[name], signal.SIGCONT)

    def ended(self) -> list[str]:
        """Processes that have ended by themselves."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def stop(self) -> None:
        for process in self.processes.values():
            _kill_group(process, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                _kill_group(process, signal.SIGKILL)
                process.wait(10)
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def _start(self, name: str, command: list[str], **settings: str) -> "subprocess.Popen[bytes]":
        environment = {**self.environment, **settings}
        with (self.data / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        self.processes[name] = process
        return process


def _kill_group(process: "subprocess.Popen[bytes]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _until(is_so: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, "it did not come up"
        time.sleep(0.1)
