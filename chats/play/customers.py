"""Robot customers: each starts a chat, writes, waits for every echo, says bye and sees the chat end."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .tally import Tally
from .wire import Refusal, Robot, call

NAMES = ["Mia", "Jonas", "Layla", "Ravi", "Camille", "Grace", "Ben", "Olu", "Ines", "Kenji"]
LINES = [
    "Hello, is anybody there?",
    "Where is my order?",
    "Does it come in blue?",
    "مرحبا",
    "订单什么时候发货？",
    "Thanks 🙏",
    "ok",
]


@dataclass(frozen=True)
class Manner:
    """How a robot customer behaves: messages a chat, seconds between two, and how long it hopes for an echo."""

    messages: int = 5
    pause: float = 1.0
    patience: float = 60.0


class RobotCustomer(Robot):
    """One customer with one chat over the customer socket."""

    path = "/ws/v1/customer"

    def __init__(self, urls: Sequence[str], key: str, manner: Manner, tally: Tally) -> None:
        super().__init__(urls)
        self.key, self.manner, self.tally = key, manner, tally
        self.token = ""
        self.chat = ""
        self.epoch: str | None = None
        self.index = 0
        self.is_closed = False
        self.sent_at: dict[str, float] = {}
        self.echoes: list[str] = []
        self.own: list[str] = []
        self.started_at = 0.0
        self._news = asyncio.Event()

    async def live(self) -> None:
        """The whole life of this customer; what went wrong is in the tally afterwards."""
        listener = asyncio.ensure_future(self.stay_connected())
        try:
            await self._talk()
        except Refusal:
            self.tally.refused += 1
        except TimeoutError:
            pass  # what did not come is counted below
        finally:
            self._count()
            await self.stop()
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def hello(self) -> dict[str, Any]:
        while not self.token:
            try:
                opened = await call(f"{self.url}/api/v1/widget/sessions", {"key": self.key})
            except Refusal as refusal:
                if refusal.code != "too_many":
                    raise
                await asyncio.sleep(refusal.retry_after or 0.5)
                continue
            self.token = opened["token"]
        frame = {"type": "hello", "ref": "hello", "token": self.token, "after": self.index, "epoch": self.epoch}
        return frame | ({"chat": self.chat} if self.chat else {})

    async def heard(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "welcome":
                self.epoch = frame["epoch"]
            case "ping":
                await self.tell({"type": "pong", "after": self.index})
            case "events":
                for event in frame["events"]:
                    self._read(event)
                self._news.set()

    def _read(self, event: dict[str, Any]) -> None:
        if event["index"] <= self.index:
            self.tally.doubled += 1
            return
        if event["index"] > self.index + 1:
            self.tally.gaps += 1
        self.index = event["index"]
        if event["type"] == "chat.closed":
            self.is_closed = True
        elif event["type"] == "agent.joined" and self.started_at:
            self.tally.waits.append(time.monotonic() - self.started_at)
            self.started_at = 0.0
        elif event["type"] == "message.posted":
            self._read_message(event)

    def _read_message(self, event: dict[str, Any]) -> None:
        if event["sender"]["kind"] == "customer":
            self.own.append(event["text"])
        elif event["text"].startswith("echo: "):
            text = event["text"].removeprefix("echo: ")
            self.echoes.append(text)
            self.tally.echoed += 1
            if text in self.sent_at:
                self.tally.screens.append((time.monotonic() - self.sent_at.pop(text)) / 2)

    async def _talk(self) -> None:
        first = self._line(0)
        self.started_at = time.monotonic()
        frame = {"type": "start", "client_id": uuid.uuid4().hex, "text": first, "form": {"name": random.choice(NAMES)}}
        started = await self.insist(frame)
        self.chat = started["chat"]["id"]
        self.tally.started += 1
        self.tally.sent += 1
        self.tally.acknowledged += 1
        texts = [first]
        for number in range(1, self.manner.messages):
            await asyncio.sleep(random.uniform(0.5, 1.5) * self.manner.pause)
            texts.append(self._line(number))
            await self._say(texts[-1])
        await self._until(lambda: len(self.echoes) >= len(texts))
        await self._say("bye")
        await self._until(lambda: self.is_closed)
        self.tally.closed += 1

    def _line(self, number: int) -> str:
        return f"{random.choice(LINES)} {number} {uuid.uuid4().hex[:8]}"

    async def _say(self, text: str) -> None:
        self.tally.sent += 1
        begun = self.sent_at[text] = time.monotonic()
        await self.insist({"type": "post", "chat": self.chat, "client_id": uuid.uuid4().hex, "text": text})
        self.tally.acks.append(time.monotonic() - begun)
        self.tally.acknowledged += 1

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(self.manner.patience):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    def _count(self) -> None:
        said = [text for text in self.own if text != "bye"]
        echoed = list(dict.fromkeys(self.echoes))
        self.tally.doubled += len(self.echoes) - len(echoed)
        self.tally.missing += len([text for text in said if text not in set(echoed)])
        kept = [text for text in said if text in set(echoed)]
        self.tally.out_of_order += kept != [text for text in echoed if text in set(kept)]
        self.tally.reconnects += max(self.reconnects, 0)


async def play_customers(
    urls: Sequence[str],
    key: str,
    *,
    count: int,
    rate: float,
    manner: Manner,
    tally: Tally,
    progress: Callable[[], None],
) -> None:
    """`count` customers (0 = without end), `rate` new ones a second; the tally is filled as they go."""
    running: set[asyncio.Task[None]] = set()
    number = 0
    while count == 0 or number < count:
        tally.wanted += 1
        turned = [*urls[number % len(urls) :], *urls[: number % len(urls)]]
        task = asyncio.ensure_future(RobotCustomer(turned, key, manner, tally).live())
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
        progress()
        await asyncio.sleep(1 / rate)
    while running:
        await asyncio.wait(running, timeout=1)
        progress()
