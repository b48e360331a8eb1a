"""Sockets under test: the real applications, hub, poster and pulse, in the test's own event loop."""

import asyncio
import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from agents import presence
from agents.models import Agent
from chats.actions.offer import offer_chat
from chats.live import hub
from chats.models import Chat, Customer, CustomerSession, Invitation
from chats.sockets import service
from contactcenter.asgi import websockets
from contactcenter.models import hash_secret

SECONDS = 5


class Wire:
    """The server's side of an ASGI websocket, without a network."""

    def __init__(self, path: str, headers: list[tuple[bytes, bytes]], reads: bool = True) -> None:
        self.scope: dict[str, Any] = {"type": "websocket", "path": path, "headers": headers, "extensions": {}}
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.outgoing: asyncio.Queue[Any] = asyncio.Queue()
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self.task = asyncio.ensure_future(websockets(self.scope, self.incoming.get, self._take))

    async def _take(self, message: Any) -> None:
        """What a server does whose client does not read: it waits."""
        await self.reads.wait()
        self.outgoing.put_nowait(message)

    async def receive(self, seconds: float) -> Any:
        async with asyncio.timeout(seconds):
            return await self.outgoing.get()


class Client:
    """One end of a socket. What came is kept in `seen`."""

    def __init__(self, path: str, headers: dict[str, str] | None = None) -> None:
        encoded = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        self.wire = Wire(path, encoded)
        self.seen: list[dict[str, Any]] = []
        self.refs = 0

    async def open(self) -> "Client":
        self.wire.incoming.put_nowait({"type": "websocket.connect"})
        first = await self.wire.receive(SECONDS)
        assert first["type"] == "websocket.accept"
        return self

    def send_text(self, text: str) -> None:
        self.wire.incoming.put_nowait({"type": "websocket.receive", "text": text})

    async def send(self, type: str, **frame: Any) -> None:
        self.send_text(json.dumps({"type": type, **frame}))

    async def next(self, seconds: float = SECONDS) -> dict[str, Any]:
        """The next frame, or {"type": "closed", "code"}."""
        message = await self.wire.receive(seconds)
        if message["type"] == "websocket.close":
            return {"type": "closed", "code": message["code"]}
        frame = json.loads(message["text"])
        self.seen.append(frame)
        return frame

    async def until(self, type: str, seconds: float = SECONDS, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.next(seconds)
                if frame["type"] == type and all(frame.get(name) == value for name, value in fields.items()):
                    return frame
                assert frame["type"] != "closed" or type == "closed", frame

    async def ask(self, type: str, **frame: Any) -> dict[str, Any]:
        """Send with a ref and return its answer, an ack or an error."""
        self.refs += 1
        ref = frame.pop("ref", f"r{self.refs}")
        await self.send(type, ref=ref, **frame)
        async with asyncio.timeout(SECONDS):
            while True:
                answer = await self.next()
                if answer.get("ref") == ref or answer["type"] == "closed":
                    return answer

    async def events_until(self, number: int, by: str = "index", seconds: float = SECONDS) -> list[dict[str, Any]]:
        """All events seen so far, once the one with this number is among them."""
        while not any(event[by] == number for event in self.events()):
            await self.until("events", seconds)
        return self.events()

    def events(self) -> list[dict[str, Any]]:
        return [event for frame in self.seen if frame["type"] == "events" for event in frame["events"]]

    def of(self, type: str) -> list[dict[str, Any]]:
        return [frame for frame in self.seen if frame["type"] == type]

    async def rest(self, seconds: float = 0.2) -> list[dict[str, Any]]:
        """What comes until nothing comes for so long."""
        found = []
        while True:
            try:
                found.append(await self.next(seconds))
            except TimeoutError:
                return found

    async def close(self) -> None:
        self.wire.incoming.put_nowait({"type": "websocket.disconnect", "code": 1005})
        async with asyncio.timeout(SECONDS):
            await self.wire.task


def session_token(channel: Any, customer: Customer) -> str:
    token = secrets.token_urlsafe(32)
    CustomerSession.objects.create(
        center_id=channel.center_id,
        channel=channel,
        customer=customer,
        token_hash=hash_secret(token),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return token


def offer(chat: Chat, agent: Agent, now: Any) -> Invitation:
    with transaction.atomic():
        return offer_chat(Chat.objects.locked().get(pk=chat.pk), agent, reason="test", now=now)


@pytest.fixture
async def live(transactional_db: None):
    """The hub, the poster and the pulse."""
    async with service.running():
        yield hub
        hub.loses = None


@pytest.fixture
async def sockets(live: Any):
    """Opens clients; all are closed at the end."""
    opened: list[Client] = []

    class Sockets:
        async def raw(self, path: str, **headers: str) -> Client:
            client = await Client(path, {name.replace("_", "-"): value for name, value in headers.items()}).open()
            opened.append(client)
            return client

        async def customer(self, place: Any, customer: Customer, **hello: Any) -> Client:
            """A customer who was welcomed; the welcome is seen[0]."""
            client = await self.raw("/ws/v1/customer")
            client.token = await sync_to_async(session_token)(place.channel, customer)
            answer = await client.ask("hello", token=client.token, **hello)
            assert answer["type"] == "welcome", answer
            client.welcome = answer
            return client

        async def agent(self, agent: Agent, status: str | None = None, **hello: Any) -> Client:
            client = await self.raw("/ws/v1/agent")
            ticket = await sync_to_async(presence.issue_ticket)(agent, "", timezone.now())
            answer = await client.ask("hello", ticket=ticket, **hello)
            assert answer["type"] == "welcome", answer
            client.welcome = answer
            if status:
                await client.ask("status", status=status)
            return client

    yield Sockets()
    for client in opened:
        await client.close()
