"""Agents over the socket and over REST: they accept, echo, write a note now and then, and close when the customer says bye."""

import asyncio
import base64
import contextlib
from typing import Any

from chats.play.agents import Mischief, RobotAgent
from chats.play.seats import Seat
from chats.play.wire import Ended, Refusal

from .recording import LEAKS, Place, Recorded, RestClient

NOTES = 0.1  # of the messages
READS = 0.3  # of what comes is said to be read
SLEEPS = 0.05  # of the offers are not answered
CRASHES = 0.03  # of the acceptances are the last that is heard of an agent
AWAY = (20.0, 80.0)  # seconds, then: its lease is 45
POLL_SECONDS = 5


class SocketAgent(Recorded, RobotAgent):
    """The robot agent of `manage.py play`, recorded."""

    def __init__(self, place: Place, seat: Seat) -> None:
        super().__init__(place.turned(), seat, Mischief(), lambda _: None)
        self.place, self.name, self.id = place, seat.username, ""
        self.steady = asyncio.Event()
        self.is_flaky = False  # does not answer now and then, and crashes, until it is told to be steady

    async def hello(self) -> dict[str, Any]:
        frame = await super().hello()
        value = {"chat": None, "kind": "position", "cursors": frame["cursors"]}
        self.place.book.note(self.name, "seen", "cursor", value)
        return frame

    async def heard(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "events":
                self.saw(frame["chat"], "position", frame["events"])
                await self._read_some(frame)
            case "chat_gone":
                self.place.book.note(self.name, "seen", "gone", {"chat": frame["chat"]})
            case "chat":
                self._look_at(frame["chat"])
            case "welcome":
                self.id = frame["agent"]["id"]
                for chat in frame["reset"]:
                    self._forgets(chat)
                # What it had and is not told of went to somebody else meanwhile.
                for chat in self.chats.keys() - {chat["id"] for chat in frame["chats"]}:
                    self.place.book.note(self.name, "seen", "gone", {"chat": chat})
                for chat in frame["chats"]:
                    self._look_at(chat)
        await super().heard(frame)

    def _look_at(self, chat: dict[str, Any]) -> None:
        """Note how the chat is shown."""
        state = chat["state"] if chat["state"] in ("active", "closed") else "waiting"
        agent = chat["agent_id"] if state == "active" else None
        value = {"chat": chat["id"], "head": chat["head"], "index_head": chat["index_head"]}
        self.place.book.note(self.name, "seen", "snapshot", value | {"state": state, "agent": agent})

    async def _read_some(self, frame: dict[str, Any]) -> None:
        indexes = [event["index"] for event in frame["events"] if event["index"]]
        if indexes and self.place.chance.random() < READS:
            await self.tell({"type": "read", "chat": frame["chat"], "index": indexes[-1]})

    async def _answer_invitation(self, invitation: str) -> None:
        if self.is_flaky and not self.steady.is_set() and self.place.chance.random() < SLEEPS:
            return
        await super()._answer_invitation(invitation)
        if self.is_flaky and not self.steady.is_set() and self.place.chance.random() < CRASHES:
            self.vanish()

    def _forgets(self, chat: str) -> None:
        value = {"chat": chat, "kind": "position", "after": None}
        self.place.book.note(self.name, "seen", "cursor", value)

    async def _answer(self, chat: str, events: dict[int, dict[str, Any]]) -> None:
        if self.place.chance.random() < NOTES:
            first = min(events)
            note = {"type": "post", "chat": chat, "client_id": f"note-{first}", "note": True}
            await self._quietly(note | {"text": f"{LEAKS} {self.name} {chat} {first}"})
        await super()._answer(chat, events)

    async def run(self) -> None:
        while True:
            self.stopping = False
            await self.stay_connected()
            self.place.book.note(self.name, "seen", "vanished", {"agent": self.id})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.place.chance.uniform(*AWAY)):
                    await self.steady.wait()
            self.place.book.note(self.name, "seen", "returned", {"agent": self.id})
            self._away_since = None  # it was away of its own accord


class RestAgent(RestClient):
    """A bot without a socket: it polls for invitations, and each of its chats for what the customer says."""

    def __init__(self, place: Place, seat: Seat) -> None:
        credentials = base64.b64encode(f"{seat.username}:{seat.password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "X-Contact-Center": seat.center}
        super().__init__(place, seat.username, headers)
        self.chats: dict[str, asyncio.Task[None]] = {}
        self.steady = asyncio.Event()  # it always is

    async def run(self) -> None:
        while True:
            try:
                await self.call("/api/v1/me/status", {"status": "online"})
                invitations = await self.call(f"/api/v1/invitations?wait={POLL_SECONDS}")
                for invitation in invitations["results"]:
                    await self._accept(invitation)
            except (Ended, Refusal):
                await asyncio.sleep(0.5)

    async def _accept(self, invitation: dict[str, Any]) -> None:
        path, chat = f"/api/v1/invitations/{invitation['id']}/accept", invitation["chat"]["id"]
        with contextlib.suppress(Refusal):
            await self.do("accept", path, {}, {"invitation": invitation["id"]})
        # Also after a refusal: the first try may have been heard, and its answer lost.
        if chat not in self.chats or self.chats[chat].done():
            self.chats[chat] = asyncio.ensure_future(self._talk(chat))

    async def _talk(self, chat: str) -> None:
        """Until the chat has ended, or is somebody else's."""
        position, is_over = 0, False
        answered: set[str | None] = set()
        while not is_over:
            try:
                answer = await self.call(f"/api/v1/chats/{chat}/events?after={position}&wait={POLL_SECONDS}")
                if answer["chat"]["state"] != "active" or not answer["chat"].get("held"):
                    return
                self._note(chat, position, answer["events"])
                answered |= {event.get("client_id") for event in answer["events"]}
                for event in answer["events"]:
                    if f"echo-{event['position']}" not in answered:  # another agent may have had the chat before
                        is_over = await self._reply(chat, event)
                    position = event["position"]
            except Ended:
                await asyncio.sleep(0.3)
            except Refusal:
                return

    def _note(self, chat: str, after: int, events: list[dict[str, Any]]) -> None:
        numbers = [event["position"] for event in events]
        self.place.book.note(self.name, "seen", "cursor", {"chat": chat, "kind": "position", "after": after})
        value = {"chat": chat, "kind": "position", "numbers": numbers}
        self.place.book.note(self.name, "seen", "events", value)

    async def _reply(self, chat: str, event: dict[str, Any]) -> bool:
        """Whether that was the end."""
        if event["type"] != "message.posted" or event["sender"]["kind"] != "customer":
            return False
        if event["text"] == "bye":
            await self.do("close", f"/api/v1/chats/{chat}/close", {}, {"chat": chat})
            return True
        body = {"client_id": f"echo-{event['position']}", "text": f"echo: {event['text']}"}
        await self.do("post", f"/api/v1/chats/{chat}/messages", body, {"chat": chat, **body})
        return False
