"""Customers over the socket and over REST: one life is one chat. They write, repeat themselves now and then, and end in one of three ways."""

import asyncio
import contextlib
import uuid
from typing import Any

from chats.play.customers import Manner, RobotCustomer
from chats.play.tally import Tally
from chats.play.wire import Ended, Refusal

from .readings import Reading
from .recording import Place, Recorded, RestClient

CLASHES = 0.03  # of what was acknowledged: something else is said under its key
STRANGERS = 0.1  # of the connections after the first come with a cursor that means nothing here; as many with one that is behind
BEYOND = 1000  # past the end of every log
REPEATS = 0.05  # of what was acknowledged already, and as many sent twice at the same moment
PAUSE = (0.2, 1.2)  # seconds between two messages
MESSAGES = (3, 12)
POLL_SECONDS = 5
ENDINGS = ["bye", "bye", "bye", "close", "leave"]  # said to the agent; closed by the customer; gone without a word


class SocketCustomer(Recorded, RobotCustomer):
    """Over the customer socket. Its reader goes on until the chat has ended, over any cut."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__(place.turned(), place.center["key"], Manner(), Tally())
        self.place, self.name = place, name
        self._strange = ""

    async def hello(self) -> dict[str, Any]:
        luck = self.place.chance.random() if self.chat and self.index else 1.0
        if STRANGERS <= luck < 2 * STRANGERS:
            self.index = self.place.chance.randint(0, self.index)
        frame = await super().hello()
        self._strange = ""
        if luck < STRANGERS:
            self._strange = self.place.chance.choice(["an epoch", "a number"])
            frame |= {"epoch": str(uuid.uuid4())} if self._strange == "an epoch" else {"after": self.index + BEYOND}
        if self.chat:
            value = {"chat": self.chat, "kind": "index", "after": frame["after"]}
            self.place.book.note(self.name, "seen", "cursor", value)
        return frame

    async def heard(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "welcome" and self._strange:
            value = {"chat": self.chat, "with": self._strange, "is_reset": frame["reset"]}
            self.place.book.note(self.name, "seen", "stranger", value)
            self._strange = ""
        if frame["type"] == "welcome" and frame["reset"]:
            self.index = 0
            self.place.book.note(self.name, "seen", "cursor", {"chat": self.chat, "kind": "index", "after": 0})
        if frame["type"] == "events":
            self.saw(frame["chat"], "index", frame["events"])
        await super().heard(frame)

    async def live(self) -> None:
        listener = asyncio.ensure_future(self.stay_connected())
        try:
            await self._chat()
        finally:
            await self.stop()
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _chat(self) -> None:
        text = self._line(0)
        start = {"type": "start", "client_id": uuid.uuid4().hex, "text": text, "form": {"name": self.name}}
        self.chat = (await self.insist(start))["chat"]["id"]
        with contextlib.suppress(Refusal):  # the team's rules may have closed it meanwhile
            for number in range(1, self.place.chance.randint(*MESSAGES)):
                await asyncio.sleep(self.place.chance.uniform(*PAUSE))
                await self._post(self._line(number))
            await self._end()
        has_left = self.is_closed
        while not self.is_closed:
            self._news.clear()
            await self._news.wait()
        if not has_left:
            await Reading(self.place, self.name, self.token, self.chat).from_anywhere(self.index)

    async def _post(self, text: str) -> None:
        frame = {"type": "post", "chat": self.chat, "client_id": uuid.uuid4().hex, "text": text}
        luck = self.place.chance.random()
        tries = [self.insist(frame) for _ in range(2 if luck < REPEATS else 1)]
        answers = await asyncio.gather(*tries)
        await Reading(self.place, self.name, self.token, self.chat).again(answers[0]["index"])
        if self.place.chance.random() < CLASHES:
            await self.clash(frame, self._line(0))
        if luck > 1 - REPEATS:
            await self.insist(frame)

    async def _end(self) -> None:
        match self.place.chance.choice(ENDINGS):
            case "bye":
                await self._post("bye")
            case "close":
                await self.insist({"type": "close", "chat": self.chat})
            case "leave":
                self.place.book.note(self.name, "seen", "left", {"chat": self.chat})
                self.is_closed = True

    def _line(self, number: int) -> str:
        return f"{self.place.center['mark']} {self.name} {number} {uuid.uuid4().hex[:12]}"


class RestCustomer(RestClient):
    """Over REST, with long polls."""

    def __init__(self, place: Place, name: str) -> None:
        super().__init__(place, name, {})
        self.chat, self.index = "", 0
        self.is_closed = False

    async def live(self) -> None:
        opened = await self.insist("/api/v1/widget/sessions", {"key": self.place.center["key"]})
        self.headers = {"Authorization": f"Bearer {opened['token']}"}
        text = self._line(0)
        # Who gives no name is begun together with others (chats.actions.begin), by a plain call.
        form = {"form": {"name": self.name}} if self.place.chance.random() < 0.5 else {}
        body = {"client_id": uuid.uuid4().hex, "text": text, **form}
        self.chat = (await self.do("start", "/api/v1/chats", body, {"text": text}))["chat"]["id"]
        reader = asyncio.ensure_future(self._read())
        try:
            with contextlib.suppress(Refusal):
                await self._talk()
            await reader
            await self._reading().from_anywhere(self.index)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _talk(self) -> None:
        for number in range(1, self.place.chance.randint(*MESSAGES)):
            await asyncio.sleep(self.place.chance.uniform(*PAUSE))
            await self._post(self._line(number))
        if self.place.chance.random() < 0.3:
            body = {"email": f"{uuid.uuid4().hex}@example.com"}
            await self.do("transcript", f"/api/v1/chats/{self.chat}/transcript", body, {"chat": self.chat, **body})
        await self._post("bye")

    async def _post(self, text: str) -> None:
        path, client_id = f"/api/v1/chats/{self.chat}/messages", uuid.uuid4().hex
        body = {"client_id": client_id, "text": text}
        value = {"chat": self.chat, **body}
        answer = await self.do("post", path, body, value)
        await self._reading().again(answer["index"])
        if self.place.chance.random() < CLASHES:
            other = {"text": self._line(0)}
            with contextlib.suppress(Ended, Refusal):
                await self.once("clash", path, body | other, value | other)
        if self.place.chance.random() < REPEATS:
            await self.do("post", path, body, value)

    def _reading(self) -> Reading:
        return Reading(self.place, self.name, self.headers["Authorization"].removeprefix("Bearer "), self.chat)

    async def _read(self) -> None:
        while not self.is_closed:
            path = f"/api/v1/chats/{self.chat}/events?after={self.index}&wait={POLL_SECONDS}"
            value: dict[str, Any] = {"chat": self.chat, "kind": "index", "after": self.index}
            try:
                answer = await self.call(path)
            except (Ended, Refusal):
                await asyncio.sleep(0.3)
                continue
            self.place.book.note(self.name, "seen", "cursor", value)
            numbers = [event["index"] for event in answer["events"]]
            self.place.book.note(self.name, "seen", "events", {"chat": self.chat, "kind": "index", "numbers": numbers})
            self.index = numbers[-1] if numbers else self.index
            self.is_closed = any(event["type"] == "chat.closed" for event in answer["events"])

    def _line(self, number: int) -> str:
        return f"{self.place.center['mark']} {self.name} {number} {uuid.uuid4().hex[:12]}"


class Queue:
    """One customer after the other, until it is stopped; the last one finishes its life."""

    def __init__(self, kind: Any, place: Place, name: str) -> None:
        self.kind, self.place, self.name = kind, place, name
        self.is_stopping = False

    async def run(self) -> None:
        number = 0
        while not self.is_stopping:
            number += 1
            with contextlib.suppress(Refusal):
                await self.kind(self.place, f"{self.name}.{number}").live()
            await asyncio.sleep(self.place.chance.uniform(*PAUSE))
