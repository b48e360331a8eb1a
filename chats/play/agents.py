"""Robot agents: they accept, echo every text, and close the chat when the customer says bye."""

import asyncio
import base64
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .seats import Seat
from .wire import Ended, Refusal, Robot, call

HARMLESS = {"closed", "gone", "not_found", "forbidden"}  # the chat went on without us


@dataclass
class Memory:
    """What a robot knows of one chat: its cursor, and which messages wait for their echo."""

    position: int = 0
    waiting: dict[int, str] = field(default_factory=dict)  # position → text
    answered: set[int] = field(default_factory=set)
    is_held: bool = False
    is_closing: bool = False


class RobotAgent(Robot):
    """One bot seat over the agent socket."""

    path = "/ws/v1/agent"

    def __init__(self, urls: Sequence[str], seat: Seat, progress: Callable[[str], None]) -> None:
        super().__init__(urls)
        self.seat = seat
        self.progress = progress
        self.chats: dict[str, Memory] = {}
        self.epoch: str | None = None
        self.failures = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def hello(self) -> dict[str, Any]:
        credentials = base64.b64encode(f"{self.seat.username}:{self.seat.password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "X-Contact-Center": self.seat.center}
        ticket = (await call(f"{self.url}/api/v1/agent/ticket", {}, headers))["ticket"]
        cursors = {chat: memory.position for chat, memory in self.chats.items() if memory.is_held}
        return {"type": "hello", "ref": "hello", "ticket": ticket, "epoch": self.epoch, "cursors": cursors}

    async def heard(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "welcome":
                await self._welcomed(frame)
            case "ping":
                held = {chat: memory.position for chat, memory in self.chats.items() if memory.is_held}
                await self.tell({"type": "pong", "cursors": held})
            case "invitation":
                self._begin(self._accept(frame["invitation"]["id"]))
            case "chat":
                self._take(frame["chat"])
            case "chat_gone":
                self.chats.pop(frame["chat"], None)
            case "events":
                self._read(frame["chat"], frame["events"])

    async def _welcomed(self, frame: dict[str, Any]) -> None:
        self.epoch = frame["epoch"]
        for chat in frame.get("reset", []):
            self.chats.pop(chat, None)
        held = {chat["id"] for chat in frame["chats"]}
        self.chats = {chat: memory for chat, memory in self.chats.items() if chat in held}
        for chat in frame["chats"]:
            self._take(chat)
        self._begin(self._quietly({"type": "status", "status": "online"}))
        for invitation in frame["invitations"]:
            self._begin(self._accept(invitation["id"]))

    def _take(self, chat: dict[str, Any]) -> None:
        memory = self.chats.setdefault(chat["id"], Memory())
        memory.is_held = bool(chat.get("held")) and chat["state"] == "active"
        if memory.is_held:
            self._answer_waiting(chat["id"], memory)

    def _read(self, chat: str, events: list[dict[str, Any]]) -> None:
        memory = self.chats.setdefault(chat, Memory())
        for event in events:
            if event["position"] <= memory.position:
                continue
            memory.position = event["position"]
            if event["type"] != "message.posted":
                continue
            if event["sender"]["kind"] == "customer":
                memory.waiting[event["position"]] = event["text"]
            elif (echoed := event.get("client_id") or "").startswith("echo-"):
                memory.answered.add(int(echoed.removeprefix("echo-")))
        self._answer_waiting(chat, memory)

    def _answer_waiting(self, chat: str, memory: Memory) -> None:
        """Answer what waits, in order, once. The client_id is the position answered: a repeat of another robot's or our own is seen."""
        if not memory.is_held or not memory.waiting:
            return
        texts, memory.waiting = memory.waiting, {}
        texts = {position: text for position, text in texts.items() if position not in memory.answered}
        memory.answered.update(texts)
        self._begin(self._answer(chat, texts))

    async def _answer(self, chat: str, texts: dict[int, str]) -> None:
        for position, text in texts.items():
            if text.strip().lower() == "bye":
                await self._quietly({"type": "close", "chat": chat})
                return
            echo = {"type": "post", "chat": chat, "client_id": f"echo-{position}", "text": f"echo: {text}"[:10_000]}
            await self._quietly(echo)
            self.progress(f"{self.seat.name} answered")

    async def _accept(self, invitation: str) -> None:
        await self._quietly({"type": "accept", "invitation": invitation})

    async def _quietly(self, frame: dict[str, Any]) -> None:
        try:
            await self.insist(frame)
        except Refusal as refusal:
            if refusal.code not in HARMLESS:
                self.failures += 1
                self.progress(f"{self.seat.name}: {frame['type']} was refused: {refusal}")

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def play_agents(urls: Sequence[str], seats: Sequence[Seat], progress: Callable[[str], None]) -> int:
    """Let the robots answer until they are cancelled; returns how many requests were refused for no good reason."""
    robots = [RobotAgent(urls, seat, progress) for seat in seats]
    with contextlib.suppress(asyncio.CancelledError, Ended):
        await asyncio.gather(*(robot.stay_connected() for robot in robots))
    return sum(robot.failures for robot in robots)
