"""Whether every event reaches a receiver that fails, hangs and dies, in order, and how fast.

    python bench/webhooks.py [--postgres postgres://user@host/postgres] [--events 10000] [--chats 200] [--ports 21000]

Starts a server of its own with the defaults of an embedded one, on SQLite or on a database that it makes and drops, and a receiver in a
process of its own. Agents write over their sockets; the receiver refuses one call in six with 500 and drops one in six after it has
taken it, is killed and started again after a quarter and three quarters of the events, and stands still for 15 s after half of them.
"""

# ruff: noqa: ASYNC110, S603 - other processes are waited for; the programs are our own

import argparse
import asyncio
import contextlib
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CHATS_OF_AN_AGENT = 10
IN_FLIGHT = 8  # messages of one agent
STALL_SECONDS = 15
DOWN_SECONDS = 2
PATIENCE = 600  # seconds without any arrival


# The receiver, a process of its own -----------------------------------------------------------------------------------


def receive(port: int, log: str) -> None:
    """Write a line for each call, before it is answered: what was taken survives being killed."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            luck = random.random()
            line = [
                self.headers["webhook-id"],
                body["data"]["chat"]["id"],
                body["data"]["event"]["position"],
                luck >= 1 / 6,
            ]
            os.write(descriptor, (json.dumps(line) + "\n").encode())
            if 1 / 6 <= luck < 1 / 3:
                self.close_connection = True  # taken, and nobody will know
                return
            self.send_response(200 if luck >= 1 / 3 else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


class Receiver:
    """Starts, kills and stops the process above, and reads what it wrote."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log
        self.lines: list[Any] = []  # [id, chat, position, was it taken] of each call, in the order of arrival
        self.arrived: set[tuple[str, int]] = set()
        log.touch()
        self.stream = log.open()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, __file__, "--receive", str(self.port), str(self.log)])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def trouble(self, events: int) -> None:
        """Killed after a quarter, standing still after a half, killed after three quarters."""
        await self._until(events // 4)
        await self._restart()
        await self._until(events // 2)
        self.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STALL_SECONDS)
        self.process.send_signal(signal.SIGCONT)
        await self._until(events * 3 // 4)
        await self._restart()

    async def _restart(self) -> None:
        self.kill()
        await asyncio.sleep(DOWN_SECONDS)
        self.start()

    async def _until(self, arrived: int) -> None:
        while self.read() < arrived:
            await asyncio.sleep(0.2)

    def read(self) -> int:
        """How many events have arrived by now."""
        while line := self.stream.readline():
            if not line.endswith("\n"):
                self.stream.seek(self.stream.tell() - len(line))  # it is being written
                break
            self.lines.append(json.loads(line))
            _, chat, position, was_taken = self.lines[-1]
            if was_taken:
                self.arrived.add((chat, position))
        return len(self.arrived)


# The server -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def database(postgres: str) -> Iterator[str]:
    """The URL of a database of our own; empty for SQLite."""
    if not postgres:
        yield ""
        return
    import psycopg

    name = f"bench_webhooks_{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextlib.contextmanager
def server(port: int) -> Iterator[None]:
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if not process.stdout or process.stdout.readline().strip() != "ready":
            raise SystemExit("The server did not start.")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def seed(chats: int, url: str) -> list[tuple[str, list[str]]]:
    """A center with so many chats and a web hook; (ticket, chats) of each agent."""
    from django.utils import timezone

    from agents import presence
    from agents.seats import open_seat
    from chats.actions.hold import pick_chat
    from chats.actions.start import Start, start_chat
    from chats.models import Customer, Webhook
    from contactcenter.models import Application, Channel, ContactCenter, Team, User

    now = timezone.now()
    center = ContactCenter.objects.create(slug="bench", name="Bench")
    team = Team.objects.create(center=center, key="bench", name="Bench", is_default=True)
    channel = Channel.objects.create(center=center, name="Bench")
    made: list[tuple[str, list[str]]] = []
    for number in range(0, chats, CHATS_OF_AN_AGENT):
        user = User.objects.create(username=f"bench-{number}")
        agent = open_seat(center, user, name=f"Agent {number}", teams=[team], capacity=CHATS_OF_AN_AGENT)
        held = []
        for _ in range(min(CHATS_OF_AN_AGENT, chats - number)):
            customer = Customer.objects.create(center=center, name="Customer")
            chat = start_chat(channel, customer, Start(client_id="bench"), now=now).chat
            pick_chat(agent, chat.pk, now=now)
            held.append(str(chat.pk))
        made.append((presence.issue_ticket(agent, "", timezone.now()), held))
    application = Application.objects.create(center=center, name="Bench")
    Webhook.objects.create(center=center, application=application, url=url, events=["message.posted"])
    return made


async def write(url: str, ticket: str, chats: list[str], each: int) -> None:
    """One agent posts so many messages in each of its chats; done when all are stored."""
    from websockets.asyncio.client import connect

    async with connect(f"{url}/ws/v1/agent", compression=None, max_size=None) as socket:
        await socket.send(json.dumps({"type": "hello", "ref": "h", "ticket": ticket}))
        window = asyncio.Semaphore(IN_FLIGHT)
        stored = asyncio.ensure_future(hear(socket, window, each * len(chats)))
        for number in range(each):
            for chat in chats:
                await window.acquire()
                name = f"{chat[-12:]}-{number}"
                frame = {"type": "post", "ref": name, "chat": chat, "client_id": name, "text": f"Message {number}"}
                await socket.send(json.dumps(frame))
        await stored


async def hear(socket: Any, window: asyncio.Semaphore, count: int) -> None:
    """Until so many messages are stored."""
    async for raw in socket:
        frame = json.loads(raw)
        if frame["type"] == "error":
            raise SystemExit(raw)
        if frame["type"] == "ack":
            window.release()
            count -= 1
        if not count:
            return


async def run(port: int, agents: list[tuple[str, list[str]]], receiver: Receiver, events: int) -> tuple[float, float]:
    """Seconds until all was written, and until all had arrived or nothing more came."""
    begun = time.perf_counter()
    trouble = asyncio.ensure_future(receiver.trouble(events))
    each = events // sum(len(chats) for _, chats in agents)
    await asyncio.gather(*(write(f"ws://127.0.0.1:{port}", ticket, chats, each) for ticket, chats in agents))
    written = time.perf_counter() - begun
    arrived, changed = 0, time.perf_counter()
    while arrived < events and time.perf_counter() - changed < PATIENCE:
        await asyncio.sleep(0.2)
        if receiver.read() != arrived:
            arrived, changed = len(receiver.arrived), time.perf_counter()
    took = changed - begun
    await trouble
    # The server learns of the last ones: those that were taken without an answer come again.
    while _pending() and time.perf_counter() - changed < PATIENCE:
        await asyncio.sleep(0.5)
    return written, took


def _pending() -> int:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    from chats.models import Delivery

    def count() -> int:
        try:
            return Delivery.objects.pending().count()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(count).result()


def report(receiver: Receiver, events: int, written: float, took: float) -> bool:
    from chats.models import Attempt, Delivery

    receiver.read()
    taken = [line for line in receiver.lines if line[3]]
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    last: dict[str, int] = defaultdict(int)
    disordered = 0
    for name, chat, position, _ in taken:
        if (chat, position) not in ids:
            disordered += position < last[chat]
            last[chat] = position
        ids[chat, position].add(name)
    renamed = sum(len(names) - 1 for names in ids.values())
    rows: dict[str, Any] = {
        "events": events,
        "arrived": len(ids),
        "missing": events - len(ids),
        "out of order per chat": disordered,
        "repeats with the same id": len(taken) - len(ids) - renamed,
        "repeats with another id": renamed,
        "attempts": Attempt.objects.count(),
        "attempts that failed": Attempt.objects.exclude(status=200).count(),
        "deliveries noted as sent": Delivery.objects.exclude(sent_at=None).count(),
        "given up": Delivery.objects.exclude(failed_at=None).count(),
        "seconds until written": round(written, 1),
        "seconds until arrived": round(took, 1),
        "events/s": round(len(ids) / took, 1),
    }
    for name, value in rows.items():
        print(f"{name:28} {value:>10}")
    return len(ids) == events and not disordered and not renamed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", default="", help="where to make a database; without it SQLite")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--ports", type=int, default=21_000, help="the first of two")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    with tempfile.TemporaryDirectory(prefix="bench-webhooks-") as data, database(options.postgres) as url:
        for name in ("REDIS_URL", "CELERY_BROKER_URL", "DATABASE_URL"):
            os.environ.pop(name, None)
        os.environ |= {"DATA_DIR": data, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1", "LOG_LEVEL": "ERROR"}
        os.environ |= {"DATABASE_URL": url} if url else {}
        os.environ["DJANGO_SETTINGS_MODULE"] = "contactcenter.settings"
        subprocess.run([sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"], check=True)
        import django

        django.setup()
        from django.db import connections

        receiver = Receiver(options.ports + 1, Path(data) / "received")
        try:
            agents = seed(options.chats, f"http://127.0.0.1:{options.ports + 1}/hook")
            with server(options.ports):
                written, took = asyncio.run(run(options.ports, agents, receiver, options.events))
            is_right = report(receiver, options.events, written, took)
        finally:
            receiver.kill()
            connections.close_all()
    sys.exit(not is_right)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--receive"]:
        receive(int(sys.argv[2]), sys.argv[3])
    else:
        main()
