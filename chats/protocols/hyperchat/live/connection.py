"""One client: who it is, the chats that it follows, what waits to be said to it."""

from uuid import UUID

from agents.models import Agent
from chats.doors.socketio.client import Client
from chats.doors.socketio.engine import Engine
from chats.doors.socketio.place import Place
from chats.errors import Invalid
from chats.models import Chat
from chats.protocols.hyperchat.callers import Caller, Credentials
from chats.sockets.reader import Reader

from .following import Following
from .offers import Offers

MOST_FOLLOWED = 20  # chats of one connection


class Connection(Client):
    """A guest of the pulse. Everything runs in the event loop."""

    kind = "hyperchat"

    def __init__(self, engine: Engine, sid: str, place: Place) -> None:
        super().__init__(engine, sid, place)
        self.logged_in_at = 0.0
        self.shown = Credentials()
        self.caller: Caller | None = None
        self.offers: Offers | None = None
        self.followed: dict[UUID, Following] = {}

    @property
    def user_id(self) -> UUID | None:
        """Whose client it is, once it has logged in."""
        return self.caller.user.pk if self.caller and self.caller.user else None

    @property
    def agent(self) -> Agent | None:
        user = self.caller.user if self.caller else None
        return user if isinstance(user, Agent) else None

    # Its life -----------------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Follow nothing any more: another user is about to use this connection, or nobody."""
        for following in self.followed.values():
            following.stop()
        self.followed.clear()
        if self.offers:
            self.offers.stop()
            self.offers = None

    def become(self, caller: Caller, shown: Credentials) -> None:
        """It has logged in. Another user than before, or the same with another application, follows nothing yet."""
        known = (self.caller.registration, self.user_id) if self.caller else None
        self.caller, self.shown, self.logged_in_at = caller, shown, self.loop.time()
        if known != (caller.registration, self.user_id):
            self.forget()
        if self.agent and self.offers is None and not self.is_closed:
            self.offers = Offers(self, caller, self.agent)
            self.offers.start()

    # What it follows ----------------------------------------------------------------------------------------------------

    def follow(self, chat: Chat, after: int) -> None:
        """Tell what happens in the chat from this index on. A chat that is followed already is told again from there. Raises Invalid."""
        if self.is_closed or self.caller is None or self.caller.user is None:
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

    # The pulse ----------------------------------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        return [following.reader for following in self.followed.values()]

    def leased_agent(self) -> UUID | None:
        return self.agent.pk if self.agent else None
