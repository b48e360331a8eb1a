"""HyperChat's live clients in this process: they come, ask and go. Entered by the server's lifespan."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from agents import presence
from chats.doors.parsers import check_value
from chats.doors.socketio.engine import Engine
from chats.doors.socketio.place import Place
from chats.doors.socketio.service import Answer, Service
from chats.errors import Invalid, Refused, Unauthorized
from chats.protocols.hyperchat.door import sentence_of
from chats.sockets.pulse import Step

from .admission import Done, come_in, credentials_of, do, handshake_of
from .calls import CALLS, SLOW
from .connection import Connection
from .threads import crew, in_thread
from .watch import Watch

LOGIN = "users:login"
FOCUS = "user:focus"
TYPING = "users:activity"
TYPED_AGAIN_SECONDS = 2.0  # the same word about typing within this time is told once
LARGEST = 1_000_000  # bytes of one frame, or of one poll's body


class Live(Service[Connection]):
    """One a process; the engine's handlers."""

    def __init__(self) -> None:
        super().__init__("hyperchat", crew, _envelope, largest=LARGEST)
        self.watch: Watch

    def beats(self, engine: Engine) -> Sequence[Step]:
        self.watch = Watch(engine, self.clients)
        return self.watch.end_strangers, self.watch.check_users, self.watch.look_at_offers

    def surveys(self, engine: Engine) -> Sequence[Step]:
        return (self.watch.show_places,)

    def sentence(self, refused: Refused | None) -> str:
        return sentence_of(refused)

    async def admit(self, engine: Engine, sid: str, place: Place, auth: Any) -> Connection:
        """Who shows nothing yet may log in within ten seconds; who shows what is wrong is refused."""
        connection = Connection(engine, sid, place)
        said = handshake_of(auth, place)
        check_value(said)
        if said.get("appId"):
            await self._log_in(connection, said)
        return connection

    async def answer(self, client: Connection, name: str, said: Any) -> Answer:
        try:
            return await self._answer(client, name, said)
        except Unauthorized as error:
            if client.user_id and name != LOGIN:
                client.end(code=error.code)  # its session has ended
            raise

    async def let_go(self, client: Connection) -> None:
        agent = client.agent
        others = {one.agent.pk for one in self.clients.values() if one.agent}
        if agent and agent.pk not in others:
            await in_thread(presence.end_lease, agent, timezone.now())

    # What is asked ------------------------------------------------------------------------------------------------------

    async def _answer(self, connection: Connection, name: str, sent: dict[str, Any]) -> Answer:
        if name == LOGIN:
            if not sent.get("token"):
                raise Invalid("token: This field is required.")
            await self._log_in(connection, sent)
            return await self._do(connection, "users:me", {})
        if connection.user_id is None:
            raise Unauthorized("Log in first")
        if name == FOCUS:
            return await self._read_all(connection, sent.get("chatId"))
        if name not in CALLS:
            raise Invalid("There is no such event")
        if name == TYPING:
            return await self._show_typing(connection, sent)
        return await self._do(connection, name, sent)

    async def _log_in(self, connection: Connection, said: dict[str, Any]) -> None:
        shown = credentials_of(said, connection.shown)
        caller = await in_thread(come_in, connection.place, shown, said.get("id"), timezone.now())
        connection.become(caller, shown)

    async def _do(self, connection: Connection, name: str, sent: dict[str, Any]) -> Answer:
        done: Done = await in_thread(do, connection.shown, name, sent, timezone.now(), is_slow=name in SLOW)
        if done.chat is not None:
            connection.follow(done.chat, done.after)
        return done.answer

    async def _show_typing(self, connection: Connection, sent: dict[str, Any]) -> Answer:
        word = f"{sent.get('chatId')} {sent.get('type')} {sent.get('userId')}"
        if connection.has_typed(word, TYPED_AGAIN_SECONDS):
            return {"success": True}
        answer = await self._do(connection, TYPING, sent)
        connection.note_typed(word)
        return answer

    async def _read_all(self, connection: Connection, chat_id: Any) -> Answer:
        """The user looks at the page: what went out so far, of one chat or of all, is read."""
        for following in list(connection.followed.values()):
            message_id = following.last_message()
            if message_id and chat_id in (None, "", str(following.chat.pk)):
                await self._do(connection, "messages:read", {"messageId": message_id})
        return {"success": True}


def _envelope(status: int, sentence: str) -> Answer:
    """As the routes answer."""
    return {"error": {"code": status, "message": sentence}}


live = Live()
