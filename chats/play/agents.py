"""Robot agents: they accept, echo every text, send back every file, and close the chat when the customer says bye."""

import asyncio
import base64
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .files import send_back
from .seats import Seat
from .wire import Ended, Refusal, Robot, call

GOOD_BYE_SECONDS = 2.0
TYPING_SECONDS = 0.5  # before each answer, where robots are told to type
HARMLESS = {"closed", "gone", "not_found", "forbidden"}  # the chat went on without us


@dataclass
class Memory:
    """What a robot knows of one chat: its cursor, and which messages wait for their echo."""

    position: int = 0
    waiting: dict[int, dict[str, Any]] = field(default_factory=dict)  # position → event
    answered: set[int] = field(default_factory=set)
    is_held: bool = False
    is_closing: bool = False


@dataclass
class Mischief:
    """What all robots together still do wrong, on purpose: the offers that they decline, and the chats that they leave without a word."""

    declines: int = 0
    desertions: int = 0


class RobotAgent(Robot):
    """One bot seat over the agent socket."""

    path = "/ws/v1/agent"

    def __init__(
        self,
        urls: Sequence[str],
        seat: Seat,
        mischief: Mischief,
        progress: Callable[[str], None],
        *,
        typing_seconds: float = 0,
    ) -> None:
        super().__init__(urls)
        self.seat = seat
        self.mischief = mischief
        self.typing_seconds = typing_seconds
        self.progress = progress
        self.chats: dict[str, Memory] = {}
        self.epoch: str | None = None
        self.failures = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def headers(self) -> dict[str, str]:
        """Of this seat's REST calls."""
        credentials = base64.b64encode(f"{self.seat.username}:{self.seat.password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}", "X-Contact-Center": self.seat.center}

    async def hello(self) -> dict[str, Any]:
        ticket = (await call(f"{self.url}/api/v1/agent/ticket", {}, self.headers))["ticket"]
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
                self._begin(self._answer_invitation(frame["invitation"]["id"]))
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
            self._begin(self._answer_invitation(invitation["id"]))

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
                memory.waiting[event["position"]] = event
            elif (echoed := event.get("client_id") or "").startswith("echo-"):
                memory.answered.add(int(echoed.removeprefix("echo-")))
        self._answer_waiting(chat, memory)

    def _answer_waiting(self, chat: str, memory: Memory) -> None:
        """Answer what waits, in order, once. The client_id is the position answered: a repeat of another robot's or our own is seen."""
        if not memory.is_held or not memory.waiting:
            return
        events, memory.waiting = memory.waiting, {}
        events = {position: event for position, event in events.items() if position not in memory.answered}
        memory.answered.update(events)
        if events:
            self._begin(self._answer(chat, events))

    async def _answer(self, chat: str, events: dict[int, dict[str, Any]]) -> None:
        for position, event in events.items():
            if event["text"].strip().lower() == "bye":
                await self._quietly({"type": "close", "chat": chat})
                return
            if not event["text"] and not event.get("attachments"):
                continue  # links alone: nothing that a robot could send back
            if self.typing_seconds:
                await self.tell({"type": "typing", "chat": chat, "active": True})
                await asyncio.sleep(self.typing_seconds)
            echo = {"type": "post", "chat": chat, "client_id": f"echo-{position}"}
            if event["text"]:
                echo["text"] = f"echo: {event['text']}"[:10_000]
            with contextlib.suppress(Refusal):  # counted already
                files = [await self._send_back(chat, file) for file in event.get("attachments", [])]
                await self._quietly(echo | ({"attachments": files} if files else {}))
            self.progress(f"{self.seat.name} answered")

    async def _send_back(self, chat: str, file: dict[str, Any]) -> str:
        while True:
            try:
                return await send_back(self.url, chat, file, self.headers)
            except Ended:
                await asyncio.sleep(0.3)
            except Refusal as refusal:
                self._note(refusal, "file")
                raise

    async def _answer_invitation(self, invitation: str) -> None:
        if self.mischief.declines > 0:
            self.mischief.declines -= 1
            await self._quietly({"type": "decline", "invitation": invitation})
            return
        await self._quietly({"type": "accept", "invitation": invitation})
        if self.mischief.desertions > 0:
            self.mischief.desertions -= 1
            self.vanish()

    async def go_home(self) -> None:
        """Say that nobody is here any more, if anybody listens."""
        with contextlib.suppress(Ended, Refusal, TimeoutError):
            async with asyncio.timeout(GOOD_BYE_SECONDS):
                await self.ask({"type": "status", "status": "offline"})
        await self.stop()

    async def _quietly(self, frame: dict[str, Any]) -> None:
        try:
            await self.insist(frame)
        except Refusal as refusal:
            self._note(refusal, frame["type"])

    def _note(self, refusal: Refusal, what: str) -> None:
        if refusal.code not in HARMLESS:
            self.failures += 1
            self.progress(f"{self.seat.name}: {what} was refused: {refusal}")

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def play_agents(
    urls: Sequence[str],
    seats: Sequence[Seat],
    mischief: Mischief,
    progress: Callable[[str], None],
    *,
    typing_seconds: float = 0,
) -> int:
    """Let the robots answer until they are cancelled; returns how many requests were refused for no good reason."""
    robots = [RobotAgent(urls, seat, mischief, progress, typing_seconds=typing_seconds) for seat in seats]
    listening = [asyncio.ensure_future(robot.stay_connected()) for robot in robots]
    try:
        await asyncio.wait(listening, return_when=asyncio.FIRST_EXCEPTION)
    except asyncio.CancelledError:
        # The server would wait some seconds for them to come back, and offer them chats meanwhile.
        await asyncio.gather(*(robot.go_home() for robot in robots))
    for task in listening:
        if task.done():
            task.result()
    return sum(robot.failures for robot in robots)
