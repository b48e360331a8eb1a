"""One client: who it is, the conversations that it has joined, what waits to be said to it."""

from typing import Any
from uuid import UUID

from chats.doors.socketio.client import Client
from chats.doors.socketio.engine import Engine
from chats.doors.socketio.place import Place
from chats.errors import Forbidden, Invalid
from chats.protocols.expertflow.callers import Caller
from chats.sockets.reader import Reader

from .following import Following

MOST_FOLLOWED = 20  # conversations of a gadget's connection
MOST_CARRIED = 10_000  # of a connector's: who they are is all that is kept of them


class Connection(Client):
    """A guest of the pulse. Everything runs in the event loop."""

    kind = "expertflow"

    def __init__(self, engine: Engine, sid: str, place: Place) -> None:
        super().__init__(engine, sid, place)
        self.caller: Caller | None = None  # None: it is not clear yet which contact center is meant
        self.center_id: UUID | None = None  # of the center that it has named: conversations of others are none
        self.joined: dict[UUID, Following] = {}  # chat → how it is followed, the one used last at the end
        self.feeds: dict[str, Any] = {}  # a connector's name → what it is given
        self._chats: dict[str, UUID] = {}  # conversation → chat

    # Its life -----------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        super().open()
        self.trust()

    def trust(self) -> None:
        """A program that has shown the secret speaks for many customers."""
        if self.caller and self.caller.is_proven:
            self.engine.trust(self.sid)

    def close(self) -> None:
        super().close()
        # Who waits for something to be said waits no longer.
        self._has_waiting.clear()
        self._is_drained.set()

    def forget(self) -> None:
        for following in list(self.joined.values()):
            self.lost(following)
        for feed in self.feeds.values():
            feed.stop()
        self.feeds.clear()

    # What it follows ----------------------------------------------------------------------------------------------------

    def following_of(self, conversation_id: Any) -> Following:
        """Raises Forbidden for a conversation that this connection has not joined."""
        chat_id = self._chats.get(conversation_id) if isinstance(conversation_id, str) else None
        if chat_id is None:
            raise Forbidden("Join this conversation first")
        following = self.joined[chat_id] = self.joined.pop(chat_id)
        return following

    def add(self, following: Following) -> None:
        """A conversation that was joined already is followed anew. Raises Invalid for one too many."""
        if known := self.joined.get(following.chat_id):
            self.lost(known)
        self._make_room(following)
        self.joined[following.chat_id] = following
        self._chats[following.conversation.id] = following.chat_id

    def lost(self, following: Following) -> None:
        following.stop()
        if self.joined.get(following.chat_id) is following:
            del self.joined[following.chat_id]
            self._chats.pop(following.conversation.id, None)

    def _make_room(self, new: Following) -> None:
        """The one that was used the longest ago gives way; of a gadget's only those that have ended."""
        if new.is_carried or (self.caller and self.caller.is_proven):
            if len(self.joined) >= MOST_CARRIED:
                self.lost(next(iter(self.joined.values())))
            return
        followed = [one for one in self.joined.values() if not one.is_carried]
        if len(followed) >= MOST_FOLLOWED:
            ended = next((one for one in followed if not one.is_open), None)
            if ended is None:
                raise Invalid("This connection has joined too many conversations")
            self.lost(ended)

    # Saying -------------------------------------------------------------------------------------------------------------

    async def handed_over(self) -> None:
        """Until all that was told is on its way: what follows by another way comes after it."""
        while self._has_waiting.is_set() and not self.is_closed:
            self._is_drained.clear()
            await self._is_drained.wait()

    # The pulse ----------------------------------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        return [following.reader for following in self.joined.values() if following.reader]
