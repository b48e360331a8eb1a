"""How many messages a second a server accepts, commits, acknowledges and delivers over websockets.

    DATA_DIR=… python bench/sockets.py --url http://127.0.0.1:8000 --pid <the server's> [--pairs 32] [--seconds 10] [--in-flight 4]

Each pair is an agent with one chat and its customer, each on a socket of its own. The agent sends with so many messages in flight
(customers are held to their pace); the time runs until the acknowledgement, and until the customer has the event. Use the database of
the running server: DATA_DIR or DATABASE_URL as it has them. "µs" is the server's own CPU time for each message.
"""

# ruff: noqa: E402 - Django is set up before its models are imported

import argparse
import asyncio
import json
import os
import secrets
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")

import django

django.setup()

import uvloop
from asgiref.sync import sync_to_async
from django.utils import timezone
from websockets.asyncio.client import connect

from agents import presence
from agents.models import Agent
from agents.seats import open_seat
from chats.actions.hold import pick_chat
from chats.actions.start import Start, start_chat
from chats.models import Customer, CustomerSession
from contactcenter.models import Channel, ContactCenter, Team, User, hash_secret


def seed(pairs: int) -> list[tuple[Agent, str, str]]:
    """(agent, customer's token, chat) of each pair, in a center of their own."""
    now, mark = timezone.now(), secrets.token_hex(4)
    center = ContactCenter.objects.create(slug=f"bench-{mark}", name="Bench")
    team = Team.objects.create(center=center, key="bench", name="Bench", is_default=True)
    channel = Channel.objects.create(center=center, name="Bench")
    made = []
    for number in range(pairs):
        user = User.objects.create(username=f"bench-{mark}-{number}")
        agent = open_seat(center, user, name=f"Agent {number}", teams=[team], capacity=1)
        customer = Customer.objects.create(center=center, name=f"Customer {number}")
        chat = start_chat(channel, customer, Start(client_id="bench"), now=now).chat
        pick_chat(agent, chat.pk, now=now)
        token = secrets.token_urlsafe(32)
        CustomerSession.objects.create(
            center=center,
            customer=customer,
            channel=channel,
            token_hash=hash_secret(token),
            expires_at=now + timedelta(hours=1),
        )
        made.append((agent, token, str(chat.pk)))
    return made


class Pair:
    """An agent that sends and a customer that receives."""

    def __init__(self, url: str, agent: Agent, token: str, chat: str) -> None:
        self.url, self.agent, self.token, self.chat = url, agent, token, chat
        self.sent: dict[str, float] = {}
        self.acks: list[float] = []
        self.deliveries: list[float] = []
        self.last = 0
        self.faults = 0

    async def open(self) -> None:
        ticket = await sync_to_async(presence.issue_ticket)(self.agent, "", timezone.now())
        self.sender: Any = await connect(f"{self.url}/ws/v1/agent", compression=None, max_size=None)
        self.receiver: Any = await connect(f"{self.url}/ws/v1/customer", compression=None, max_size=None)
        await self.sender.send(json.dumps({"type": "hello", "ref": "h", "ticket": ticket}))
        await self.receiver.send(json.dumps({"type": "hello", "ref": "h", "token": self.token}))

    async def send(self, until: float, in_flight: int) -> None:
        window = asyncio.Semaphore(in_flight)
        listening = asyncio.ensure_future(self.hear_acks(window))
        number = 0
        while time.perf_counter() < until:
            await window.acquire()
            number += 1
            name = f"m{number}"
            self.sent[name] = time.perf_counter()
            frame = {"type": "post", "ref": name, "chat": self.chat, "client_id": name, "text": f"Message {number}"}
            await self.sender.send(json.dumps(frame))
        await asyncio.sleep(1)
        listening.cancel()

    async def hear_acks(self, window: asyncio.Semaphore) -> None:
        async for raw in self.sender:
            frame = json.loads(raw)
            if frame["type"] == "ack" and frame["ref"] in self.sent:
                self.acks.append(time.perf_counter() - self.sent[frame["ref"]])
                window.release()
            elif frame["type"] == "error":
                self.faults += 1
                window.release()

    async def receive(self) -> None:
        async for raw in self.receiver:
            if not raw.startswith('{"type":"events"'):
                continue
            now = time.perf_counter()
            for event in json.loads(raw)["events"]:
                self.faults += event["index"] != self.last + 1
                self.last = event["index"]
                if event.get("client_id") in self.sent:
                    self.deliveries.append(now - self.sent[event["client_id"]])


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(times: list[float]) -> str:
    ordered = sorted(times) or [0.0]
    p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"


async def measure(options: argparse.Namespace) -> None:
    seeded = await sync_to_async(seed)(options.pairs)
    pairs = [Pair(options.url.replace("http", "ws", 1).rstrip("/"), *one) for one in seeded]
    await asyncio.gather(*(pair.open() for pair in pairs))
    receivers = [asyncio.ensure_future(pair.receive()) for pair in pairs]
    await asyncio.sleep(2)
    before, begun = cpu_of(options.pid), time.perf_counter()
    await asyncio.gather(*(pair.send(begun + options.seconds, options.in_flight) for pair in pairs))
    used = cpu_of(options.pid) - before
    for task in receivers:
        task.cancel()
    sent = sum(len(pair.sent) for pair in pairs)
    acks = [one for pair in pairs for one in pair.acks]
    deliveries = [one for pair in pairs for one in pair.deliveries]
    faults = sum(pair.faults for pair in pairs)
    print(f"{options.pairs} pairs, {options.in_flight} in flight, {options.seconds} s")
    print(f"sent {sent}, acknowledged {len(acks)}, delivered {len(deliveries)}, faults {faults}")
    print(f"{len(deliveries) / options.seconds:,.0f} messages/s; server {used / max(len(acks), 1) * 1e6:.0f} µs each")
    print(f"acknowledged {shown(acks)}; delivered {shown(deliveries)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--in-flight", type=int, default=1)
    uvloop.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
