"""The customer at the other end of a conversation: comes and goes with each of its connections, and types."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

from chats.actions.show import show_typing
from chats.live import Payload, hub
from chats.models import Participant
from chats.protocols.expertflow.shapes import JOINED, LEFT

GRACE_SECONDS = 15.0  # a page that is loaded anew comes back within it
TYPING_SECONDS = 5.0  # after which who says nothing more types no more
TYPED_AGAIN_SECONDS = 2.0  # the same preview within this time is told once


class Presence:
    """Each connection that has joined says that it comes and goes, on a topic of this door, and hears it of the others. `tell`: takes the activity's type."""

    def __init__(self, chat_id: UUID, tell: Callable[[str], None]) -> None:
        self._topic, self._tell = f"expertflow:{chat_id}", tell
        self._mark = uuid4().hex
        self._absence: asyncio.TimerHandle | None = None
        self._is_told = False

    def start(self) -> None:
        hub.subscribe(self._topic, self._hear)
        self._is_told = True
        self._say("came")

    def stop(self) -> None:
        hub.unsubscribe(self._topic, self._hear)
        if self._is_told:
            self._say("went")
        if self._absence:
            self._absence.cancel()

    def _say(self, what: str) -> None:
        hub.announce(self._topic, {"kind": "hint", "what": what, "from": self._mark})

    def _hear(self, _topic: str, payload: Payload) -> None:
        if payload["from"] == self._mark:
            return
        was_away, self._absence = self._absence, None
        if was_away:
            was_away.cancel()
        if payload["what"] == "went":
            self._absence = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._tell_left)
        elif was_away is None:
            self._tell(JOINED)

    def _tell_left(self) -> None:
        self._absence = None
        self._tell(LEFT)


class Typing:
    """Said once, taken back when nothing more is heard of it for a while, or when the message comes."""

    def __init__(self, customer: Participant) -> None:
        self._customer = customer
        self._timer: asyncio.TimerHandle | None = None
        self._said = ("", 0.0)

    def hear(self, preview: str) -> None:
        loop = asyncio.get_running_loop()
        text, at = self._said
        is_news = self._timer is None or text != preview or loop.time() - at > TYPED_AGAIN_SECONDS
        if self._timer:
            self._timer.cancel()
        self._timer = loop.call_later(TYPING_SECONDS, self.stop)
        if is_news:
            self._said = (preview, loop.time())
            show_typing(self._customer, active=True, text=preview)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
            show_typing(self._customer, active=False)
