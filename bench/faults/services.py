"""Several processes on PostgreSQL and Redis, with a wire of ours before each server, before Redis and before PostgreSQL."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery import Celery

from bench.stack import ROOT, Stack, free_port

from .clocks import Clocks
from .cluster import Cluster
from .database import Database, now
from .plan import Kind
from .wire import Wire

WEB = ["web-1", "web-2"]
WORKERS = ["worker-1", "worker-2"]
OWN = {  # settings of all of our runs: nobody is refused for being quick, and our own receiver may be called
    "ANONYMOUS_RATE": "1000000",
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1",
    "DEMO_SITE": "0",
}
WORKED = "SELECT 1 AS done FROM contactcenter_installation WHERE canary_at > %s"
SWEEP_SECONDS = 3.0  # in which a beat that has just been started makes its first sweep


class Services(Stack):
    """`begin` it within the loop in which its wires live; `cluster` is its own PostgreSQL."""

    menu = {
        "kill": Kind([*WEB, *WORKERS, "beat"], (0.5, 3)),
        "term": Kind([*WEB, *WEB, *WORKERS, "beat"], (0.2, 1)),
        "clock": Kind([*WEB, *WORKERS], (4, 20), wrong=10),
        "pause": Kind([*WEB, *WORKERS, "redis", "postgres"], (1, 10)),
        "empty": Kind(["redis"], (0.2, 3)),
        "crash": Kind(["postgres"], (0.2, 2)),
        "read_only": Kind(["postgres"], (1, 4)),
        "cut": Kind([*WEB, "redis", "postgres"], (0, 0)),
        "half_open": Kind([*WEB, "redis"], (1, 8)),
        "stall": Kind([*WEB, "redis", "postgres"], (1, 5)),
        "tear": Kind([*WEB, "redis", "postgres"], (0.3, 1.5)),
        "delay": Kind([*WEB, "redis"], (2, 6)),
        "refuse": Kind([*WEB, "redis", "postgres"], (1, 4)),
    }

    def __init__(self, data: Path, hooks: dict[str, str], mail_url: str) -> None:
        self.cluster, self.clocks = Cluster(), Clocks(data)
        super().__init__(data, self.cluster.url, workers=len(WORKERS), EMAIL_URL=mail_url, **OWN)
        self.hooks = hooks  # center → address of its receiver
        self.database_port = free_port()
        self.redis_wire_port = free_port()
        self.wires = {name: Wire(free_port(), port) for name, port in self.ports.items()}
        self.wires["redis"] = Wire(self.redis_wire_port, self.redis_port)
        self.wires["postgres"] = Wire(self.database_port, self.cluster.port)
        self.cast: dict[str, Any] = {}
        self.restarted: list[str] = []  # they had ended by themselves

    @property
    def doors(self) -> list[str]:
        """Where clients come in."""
        return [f"http://127.0.0.1:{self.wires[name].port}" for name in self.ports]

    @property
    def database_url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.database_port}/{self.database}"

    @property
    def probe_url(self) -> str:
        """The database, past the wire."""
        return urlsplit(self.cluster.url)._replace(path=f"/{self.database}").geturl()

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.redis_wire_port}/0"

    async def begin(self) -> dict[str, Any]:
        """Start all; returns the cast."""
        for wire in self.wires.values():
            await wire.open()
        await asyncio.to_thread(self.cluster.create)
        await asyncio.to_thread(self.cluster.start)
        await asyncio.to_thread(self.start)
        return self.cast

    def fill(self) -> None:
        self.cast = run_cast(self.environment, self.hooks)

    def _start(self, name: str, command: list[str], **settings: str) -> "subprocess.Popen[bytes]":
        return super()._start(name, command, **settings, **self.clocks.environment(name))

    # What the nemesis does, in a thread of its own; a target is a process or "postgres".

    def kill(self, name: str) -> None:
        self.cluster.kill() if name == "postgres" else super().kill(name)

    def start_again(self, name: str) -> None:
        self.cluster.start() if name == "postgres" else super().start_again(name)

    def pause(self, name: str) -> None:
        self.cluster.pause() if name == "postgres" else super().pause(name)

    def resume(self, name: str) -> None:
        self.cluster.resume() if name == "postgres" else super().resume(name)

    def tend(self) -> None:
        """What every supervisor does: Celery's processes may end themselves when Redis goes away at the wrong moment."""
        for name in {"beat", *WORKERS} & set(super().ended()):
            self.restarted.append(name)
            self.start_again(name)

    def set_read_only(self, *, is_read_only: bool) -> None:
        self.cluster.set_read_only(is_read_only=is_read_only)

    def wait_healed(self) -> None:
        for name in self.ended():
            self.processes.pop(name)
            self.start_again(name)
        for url in self.urls:
            self.wait_ready(url)
        self._wait_worked()
        time.sleep(SWEEP_SECONDS)

    def _wait_worked(self) -> None:
        """A worker is back: it has done what it was just asked to do."""
        database, asked_at = Database(self.probe_url), now()
        broker = Celery("faults", broker=f"redis://127.0.0.1:{self.redis_port}/0", set_as_current=False)
        broker.send_task("contactcenter.canary", queue="contactcenter", ignore_result=True)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and not database.all(WORKED, asked_at):
            time.sleep(0.2)

    def end(self) -> None:
        for name in list(self.processes):
            self.resume(name)
        for name in ("beat", *WORKERS, *WEB, "redis"):
            if name in self.processes:
                Stack.kill(self, name)
        self.cluster.destroy()


def run_cast(environment: dict[str, str], hooks: dict[str, str]) -> dict[str, Any]:
    """The people and keys, made in a process of their own: this one needs no Django."""
    command = [sys.executable, "-m", "bench.faults.cast", json.dumps(hooks)]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))
