"""The drill: a backup is made while people talk, everything is lost, the backup is restored, and everybody goes on.

    python bench/restore.py [--chats 2000] [--lines 50] [--port 22700]

On PostgreSQL (TEST_DATABASE_URL, else 127.0.0.1:5432; databases that are dropped afterwards), by pg_dump and pg_restore as
docs/running.md tells. Prints one JSON object; ends with 1 when something that was acknowledged before the backup began is missing, or a
client whose numbers are of the lost future is not told to start afresh.
"""

# ruff: noqa: S603, S607 - PostgreSQL's own programs

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from bench import machine
from bench.site import ROOT, Running, Site

if TYPE_CHECKING:
    from bench.cast import Held


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chats", type=int, default=2000)
    parser.add_argument("--lines", type=int, default=50, help="of each chat")
    parser.add_argument("--port", type=int, default=22_700, help="the first of three")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    about = machine.described()  # before we keep to our cores
    with Site("postgresql", seconds=1, rounds=1, port=options.port) as site:
        from bench.cast import Cast
        from bench.talk import run

        cast = Cast.new()
        cast.add_chats(options.chats, agents=options.chats // 40 + 1, lines=options.lines)
        (held,) = cast.add_chats(1, agents=1)
        drill = Drill(site, held)
        try:
            found = run(drill.go())
        finally:
            drill.end()
    print(json.dumps({"machine": about, **found}, indent=2))
    return int(bool(found["acknowledged before the backup and missing"]) or found["clients told to start afresh"] < 2)


@dataclass
class Talker:
    """A socket, and what came over it."""

    path: str
    proof: dict[str, Any]
    welcome: dict[str, Any] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)  # name → index
    seen: dict[int, str] = field(default_factory=dict)  # index → name

    async def open(self, port: int, **more: Any) -> "Talker":
        from bench.wires import open_socket

        self.arrived = asyncio.Event()
        self.welcome, self.trouble = {}, ""
        self.socket = await open_socket(port, self.path, self.hear)
        self.socket.send({"type": "hello", "ref": "h", **self.proof, **more})
        await self.until(lambda: bool(self.welcome))
        return self

    def hear(self, raw: bytes) -> None:
        said = json.loads(raw)
        if said["type"] == "welcome":
            self.welcome = said
        elif said["type"] == "ack":
            self.acknowledged[said["ref"]] = said["index"]
        elif said["type"] == "ping":
            self.socket.send({"type": "pong"})
        elif said["type"] in ("error", "bye"):
            self.trouble = raw.decode()
        elif said["type"] == "events":
            self.seen |= {event["index"]: event.get("client_id") or "" for event in said["events"] if event["index"]}
        self.arrived.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        from bench.talk import Faulty

        async with asyncio.timeout(60):
            while not is_so():
                if self.trouble:
                    raise Faulty(self.trouble)
                self.arrived.clear()
                await self.arrived.wait()

    async def post(self, chat: str, name: str) -> None:
        self.socket.send({"type": "post", "ref": name, "chat": chat, "client_id": name, "text": f"Text {name}"})
        await self.until(lambda: name in self.acknowledged)


class Drill:
    """One backup, one loss, one restoration."""

    def __init__(self, site: Site, held: "Held") -> None:
        self.site, self.held, self.chat = site, held, str(held.chat.pk)
        self.old = str(site.environment["DATABASE_URL"])
        self.new = urlsplit(self.old)._replace(path=f"/{site.database}_restored").geturl()
        self.dump = site.data / "backup.dump"
        self.server: Running | None = None
        self.count = 0

    async def go(self) -> dict[str, Any]:
        from bench.cast import ticket_of

        agent = Talker("/ws/v1/agent", {"ticket": ticket_of(self.held.agent)})
        customer = Talker("/ws/v1/customer", {"token": self.held.token})
        await agent.open(self.site.port)
        await customer.open(self.site.port)
        megabytes = self._megabytes(self.old)
        for _ in range(100):
            await self._say(agent)
        safe, begun = dict(agent.acknowledged), time.monotonic()
        dumping = asyncio.ensure_future(asyncio.to_thread(self._dump))
        while not dumping.done():
            await self._say(agent)
        dump_seconds = await dumping
        self.site.web.process.kill()
        lost_at = time.monotonic()
        await asyncio.to_thread(self._restore)
        back_at = time.monotonic()
        told = await self._come_back(agent, customer)
        stored = {name: index for index, name in customer.seen.items()}
        return {
            "MB in the database": round(megabytes),
            "MB of the backup": round(self.dump.stat().st_size / 1e6, 1),
            "pg_dump seconds": round(dump_seconds, 1),
            "lost until the server is ready, seconds": round(back_at - lost_at, 1),
            "lost time, seconds": round(lost_at - begun, 1),
            "acknowledged before the backup": len(safe),
            "acknowledged before the backup and missing": sum(stored.get(one) != at for one, at in safe.items()),
            "acknowledged since and gone": len(agent.acknowledged.keys() - stored.keys()),
            "clients told to start afresh": told,
        }

    async def _come_back(self, agent: Talker, customer: Talker) -> int:
        """Both with the numbers that they had, then one message more; how many of the two were told to start afresh."""
        from bench.cast import ticket_of

        assert self.server  # noqa: S101 - restored before
        last, epochs = max(customer.seen), (agent.welcome["epoch"], customer.welcome["epoch"])
        customer.seen.clear()
        await customer.open(self.server.port, after=last, epoch=epochs[1])
        agent.proof = {"ticket": await asyncio.to_thread(self._in_new, ticket_of, self.held.agent)}
        await agent.open(self.server.port, cursors={self.chat: last}, epoch=epochs[0])
        told = int(customer.welcome["reset"]) + (self.chat in agent.welcome["reset"])
        await agent.post(self.chat, "after")
        await customer.until(lambda: "after" in customer.seen.values())
        del agent.acknowledged["after"]
        return told

    async def _say(self, agent: Talker) -> None:
        self.count += 1
        await agent.post(self.chat, f"m{self.count}")

    def _dump(self) -> float:
        begun = time.monotonic()
        subprocess.run(["pg_dump", "--format=custom", f"--file={self.dump}", self.old], check=True)
        return time.monotonic() - begun

    def _restore(self) -> None:
        self._administer(f'CREATE DATABASE "{urlsplit(self.new).path[1:]}"')
        subprocess.run(["pg_restore", "--jobs=2", "--no-owner", f"--dbname={self.new}", str(self.dump)], check=True)
        environment = self.site.environment | {"DATABASE_URL": self.new}
        subprocess.run(
            [sys.executable, "manage.py", "epoch", "--renew"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        command = [sys.executable, "manage.py", "serve", "--port", str(self.site.port)]
        self.server = Running(command, self.site.port, environment, self.site.server_cores)
        self.server.wait_ready()

    def _in_new(self, act: Any, *arguments: Any) -> Any:
        """Our own seeding, in the restored database."""
        from django.db import connections

        connections["default"].close()
        connections["default"].close_pool()
        connections["default"].settings_dict["NAME"] = urlsplit(self.new).path[1:]
        try:
            return act(*arguments)
        finally:
            connections["default"].close()

    def _megabytes(self, url: str) -> float:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return row[0] / 1e6 if row else 0.0

    def _administer(self, statement: str) -> None:
        with psycopg.connect(urlsplit(self.old)._replace(path="/postgres").geturl(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def end(self) -> None:
        if self.server:
            self.server.stop()
        self._administer(f'DROP DATABASE IF EXISTS "{urlsplit(self.new).path[1:]}" WITH (FORCE)')


if __name__ == "__main__":
    sys.exit(main())
