"""What a customer reads on the side, over REST: what it has just said, of any server, and its log from anywhere in it."""

import contextlib
from typing import Any

from chats.play.wire import Ended, Refusal, call

from .recording import Place

REREADS = 0.1  # of what was acknowledged is asked for at once, of another server
PAGE = 200  # events that one answer holds at most


class Reading:
    """One chat, by the token of its customer. What gets no answer says nothing."""

    def __init__(self, place: Place, name: str, token: str, chat: str) -> None:
        self.place, self.name, self.chat = place, name, chat
        self.headers = {"Authorization": f"Bearer {token}"}

    async def again(self, index: int) -> None:
        """I7: the message that has just got this number is there, whoever is asked."""
        if self.place.chance.random() >= REREADS:
            return
        with contextlib.suppress(Ended, Refusal):
            value = {"chat": self.chat, "index": index, "numbers": await self._numbers(index - 1)}
            self.place.book.note(self.name, "seen", "reread", value)

    async def from_anywhere(self, least: int) -> None:
        """I12: after the end, from any number of which `least` are known."""
        after = self.place.chance.randint(0, least)
        with contextlib.suppress(Ended, Refusal):
            numbers: list[int] = []
            while page := await self._numbers(numbers[-1] if numbers else after):
                numbers += page
            value = {"chat": self.chat, "after": after, "head": max(least, *numbers, 0), "numbers": numbers}
            self.place.book.note(self.name, "seen", "resumed", value)

    async def _numbers(self, after: int) -> list[int]:
        door = self.place.chance.choice(self.place.doors)
        path = f"{door}/api/v1/chats/{self.chat}/events?after={after}&limit={PAGE}"
        answer: dict[str, Any] = await call(path, None, self.headers)
        return [event["index"] for event in answer["events"]]
