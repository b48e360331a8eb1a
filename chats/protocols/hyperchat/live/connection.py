"""One client: who it is, the chats that it follows, what waits to be said to it."""

import asyncio
from collections import deque
from typing import Any
from uuid import UUID

import structlog

from agents.models import Agent
from chats.errors import Invalid
from chats.live import hub
from chats.models import Chat
from chats.protocols.hyperchat.callers import Caller, Credentials
from chats.sockets.reader import Reader

from .engine import Engine
from .following import Following
from .offers import Offers
from .place import Place

log = structlog.get_logger(__name__)

MOST_WAITING = 1_000  # events for a client that does not read
WHISPERS_UNTIL = 20
READ_AHEAD = 2
MOST_FOLLOWED = 20  # chats of one connection


class Connection:
    """A guest of the pulse. Everything runs in the event loop."""

    def __init__(self, engine: Engine, sid: str, place: Place) -> None:
        self.engine, self.sid, self.place = engine, sid, place
        self.loop = asyncio.get_running_loop()
        self.logged_in_at = 0.0
        self.shown = Credentials()
        self.caller: Caller | None = None
        self.offers: Offers | None = None
        self.followed: dict[UUID, Following] = {}
        self.one_at_a_time = asyncio.Lock()  # polls may bring two events at once
        self._typed: tuple[str, float] = ("", 0.0)  # what was told last about typing, and when
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._has_waiting = asyncio.Event()
        self._is_drained = asyncio.Event()
        self._is_closed = False
        self._writing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def user_id(self) -> UUID | None:
        """Whose client it is, once it has logged in."""
        return self.caller.user.pk if self.caller and self.caller.user else None

    @property
    def agent(self) -> Agent | None:
        user = self.caller.user if self.caller else None
        return user if isinstance(user, Agent) else None

    # Its life -----------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """The client knows that it is connected: what waits may go out."""
        if self._writing is None:
            self._writing = self.loop.create_task(self._write())

    def close(self) -> None:
        """It is gone: give back what it held. What is just being done for it must not begin anything anew."""
        self._is_closed = True
        self.forget()
        if self._writing:
            self._writing.cancel()

    def forget(self) -> None:
        """Follow nothing any more: another user is about to use this connection, or nobody."""
        for following in self.followed.values():
            following.stop()
        self.followed.clear()
        if self.offers:
            self.offers.stop()
            self.offers = None

    def end(self, _close_code: int = 0, code: str = "", _message: Any = "") -> None:
        """Make the client go, soon; it may come again. The pulse calls it, too."""
        if self._ending is None:
            log.info("hyperchat client ended", reason=code)
            self._ending = self.loop.create_task(self.engine.let_go(self.sid))

    def become(self, caller: Caller, shown: Credentials) -> None:
        """It has logged in. Another user than before, or the same with another application, follows nothing yet."""
        known = (self.caller.registration, self.user_id) if self.caller else None
        self.caller, self.shown, self.logged_in_at = caller, shown, self.loop.time()
        if known != (caller.registration, self.user_id):
            self.forget()
        if self.agent and self.offers is None and not self._is_closed:
            self.offers = Offers(self, caller, self.agent)
            self.offers.start()

    # What it follows ----------------------------------------------------------------------------------------------------

    def follow(self, chat: Chat, after: int) -> None:
        """Tell what happens in the chat from this index on. A chat that is followed already is told again from there. Raises Invalid."""
        if self._is_closed or self.caller is None or self.caller.user is None:
            return
        if known := self.followed.pop(chat.pk, None):
            known.stop()
        self._make_room()
        following = Following(self, chat, user=self.caller.user, after=min(after, chat.index))
        self.followed[chat.pk] = following
        following.start()

    def _make_room(self) -> None:
        """Chats that have ended give way."""
        if len(self.followed) < MOST_FOLLOWED:
            return
        ended = next((one for one in self.followed.values() if not one.is_open), None)
        if ended is None:
            raise Invalid("This connection follows too many chats")
        self.lost(ended)

    def lost(self, following: Following) -> None:
        following.stop()
        if self.followed.get(following.chat.pk) is following:
            del self.followed[following.chat.pk]

    def has_typed(self, word: str, seconds: float) -> bool:
        """Whether the same was told within so many seconds: holding a key down is one word."""
        known, at = self._typed
        return known == word and self.loop.time() - at < seconds

    def note_typed(self, word: str) -> None:
        self._typed = (word, self.loop.time())

    # Saying -------------------------------------------------------------------------------------------------------------

    def tell(self, name: str, data: dict[str, Any]) -> None:
        """Say it when its turn comes. Never waits; a client that lets too much pile up is ended."""
        self._waiting.append((name, data))
        self._has_waiting.set()
        if len(self._waiting) > MOST_WAITING:
            self.end(code="too_slow")

    def may_whisper(self) -> bool:
        """Nobody is ended because others type fast."""
        return len(self._waiting) < WHISPERS_UNTIL

    async def drained(self) -> None:
        while len(self._waiting) > READ_AHEAD:
            self._is_drained.clear()
            await self._is_drained.wait()

    async def _write(self) -> None:
        try:
            while True:
                await self._has_waiting.wait()
                while self._waiting:
                    await self.engine.say(self.sid, *self._waiting.popleft())
                    hub.counters["frames_out"] += 1
                self._has_waiting.clear()
                self._is_drained.set()
        except TimeoutError:
            self.end(code="too_slow")

    # The pulse ----------------------------------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        return [following.reader for following in self.followed.values()]

    def leased_agent(self) -> UUID | None:
        return self.agent.pk if self.agent else None
