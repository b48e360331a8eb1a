"""Robots and REST clients that write down what they do and see."""

import asyncio
import contextlib
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from chats.play.wire import Ended, Refusal, Robot, call

from .history import History

TOLD = ("chat", "text", "client_id", "note", "invitation", "status")  # what of a frame is kept in the history
ANSWERED = ("index", "position", "replayed")
TRY_AGAIN = ("unavailable", "failed", "too_many")
LEAKS = "STAFF-ONLY"  # stands in notes, which no customer may ever see


@dataclass(frozen=True)
class Place:
    """Where an actor is at home. `strange`: what it must never see; `doors`: the servers' addresses."""

    book: History
    doors: list[str]
    center: dict[str, Any]
    strange: tuple[str, ...]
    chance: random.Random

    def look(self, process: str, seen: Any) -> None:
        """Note what must not have come here."""
        raw = json.dumps(seen)
        for mark in self.strange:
            if mark in raw:
                self.book.note(process, "seen", "leak", {"mark": mark, "in": raw[:500]})

    def turned(self) -> list[str]:
        """The servers, beginning with any."""
        first = self.chance.randrange(len(self.doors))
        return [*self.doors[first:], *self.doors[:first]]


def told(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: frame[name] for name in TOLD if name in frame}


def answered(answer: dict[str, Any]) -> dict[str, Any]:
    found = {name: answer[name] for name in ANSWERED if name in answer}
    return found | ({"chat": answer["chat"]["id"]} if isinstance(answer.get("chat"), dict) else {})


class Recorded(Robot):
    """Before one of the robots among a class's bases. Its `name` is the process of the history."""

    place: Place
    name: str

    _away_since: float | None = None

    def _cut(self) -> None:
        if self._socket is not None:
            self._away_since = time.monotonic()
        super()._cut()

    def note_connected(self) -> None:
        """A welcome has come: how long it took since the last connection ended."""
        if self._away_since is not None:
            seconds = round(time.monotonic() - self._away_since, 3)
            self.place.book.note(self.name, "seen", "connected", {"seconds": seconds})
            self._away_since = None

    async def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        return await self._ask(frame, frame["type"])

    async def clash(self, frame: dict[str, Any], text: str) -> None:
        """Say something else under a key that was used, once."""
        with contextlib.suppress(Ended, Refusal):
            await self._ask(frame | {"text": text}, "clash")

    async def _ask(self, frame: dict[str, Any], f: str) -> dict[str, Any]:
        if self._socket is None:
            raise Ended
        book, value = self.place.book, told(frame)
        book.note(self.name, "invoke", f, value)
        try:
            answer = await super().ask(frame)
        except Ended:
            book.note(self.name, "info", f, value)
            raise
        except Refusal as refusal:
            book.note(self.name, "fail", f, value | {"code": refusal.code})
            raise
        book.note(self.name, "ok", f, value | answered(answer))
        return answer

    async def heard(self, frame: dict[str, Any]) -> None:
        self.place.look(self.name, frame)
        if frame["type"] == "welcome":
            self.note_connected()
        await super().heard(frame)

    def saw(self, chat: str, kind: str, events: list[dict[str, Any]]) -> None:
        value = {"chat": chat, "kind": kind, "numbers": [event[kind] for event in events]}
        self.place.book.note(self.name, "seen", "events", value)


class RestClient:
    """Calls by one identity; after a failure another server is asked."""

    def __init__(self, place: Place, name: str, headers: dict[str, str]) -> None:
        self.place, self.name, self.headers = place, name, headers
        self.doors = place.turned()

    async def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One try."""
        try:
            answer = await call(self.doors[0] + path, body, self.headers)
        except Ended:
            self.doors.append(self.doors.pop(0))
            raise
        self.place.look(self.name, answer)
        return answer

    async def insist(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Until there is an answer. Raises Refusal for what no new try can heal."""
        while True:
            try:
                return await self.call(path, body)
            except Ended:
                await asyncio.sleep(0.3)
            except Refusal as refusal:
                if refusal.code not in TRY_AGAIN:
                    raise
                await asyncio.sleep(refusal.retry_after or 0.3)

    async def once(self, f: str, path: str, body: dict[str, Any], value: dict[str, Any]) -> Any:
        """One try, recorded."""
        book = self.place.book
        book.note(self.name, "invoke", f, value)
        try:
            answer = await self.call(path, body)
        except Ended:
            book.note(self.name, "info", f, value)
            raise
        except Refusal as refusal:
            book.note(self.name, "fail", f, value | {"code": refusal.code})
            raise
        book.note(self.name, "ok", f, value | answered(answer or {}))
        return answer

    async def do(self, f: str, path: str, body: dict[str, Any], value: dict[str, Any]) -> Any:
        """Until there is an answer, each try recorded."""
        while True:
            try:
                return await self.once(f, path, body, value)
            except Ended:
                await asyncio.sleep(0.3)
            except Refusal as refusal:
                if refusal.code not in TRY_AGAIN:
                    raise
                await asyncio.sleep(refusal.retry_after or 0.3)
