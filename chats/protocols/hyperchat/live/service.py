"""HyperChat's live clients in this process: they come, ask and go. Entered by the server's lifespan."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from django.utils import timezone
from socketio.exceptions import ConnectionRefusedError as Refusal

from agents import presence
from chats.doors.parsers import check_value
from chats.doors.refusals import refusal_of
from chats.errors import Invalid, Unauthorized
from chats.live import hub
from chats.protocols.hyperchat.door import sentence_of
from chats.sockets.pulse import pulse

from .admission import Done, come_in, credentials_of, do, handshake_of
from .calls import CALLS, SLOW, Answer
from .connection import Connection
from .engine import Engine
from .gate import Gate
from .place import place_of
from .threads import in_thread
from .watch import Watch

log = structlog.get_logger(__name__)

KIND = "hyperchat"
LOGIN = "users:login"
FOCUS = "user:focus"
TYPING = "users:activity"
TYPED_AGAIN_SECONDS = 2.0  # the same word about typing within this time is told once


class Live:
    """One a process; the engine's handlers."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.connections: dict[str, Connection] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within chats.sockets.service.running, whose pulse it joins."""
        engine = self.gate.engine = Engine(self)
        watch = Watch(engine, self.connections)
        beats = [watch.end_strangers, watch.check_users, watch.look_at_offers]
        pulse.beats.extend(beats)
        pulse.surveys.append(watch.show_places)
        try:
            yield
        finally:
            for beat in beats:
                pulse.beats.remove(beat)
            pulse.surveys.remove(watch.show_places)
            for sid in list(self.connections):
                await self.disconnected(sid)
            self.gate.engine = None
            await engine.shutdown()

    # The engine's handlers ----------------------------------------------------------------------------------------------

    async def connected(self, sid: str, scope: Any, auth: Any) -> None:
        """Who shows nothing yet may log in within ten seconds; who shows what is wrong is refused."""
        assert self.gate.engine is not None  # noqa: S101 - it is what calls
        connection = Connection(self.gate.engine, sid, place_of(scope))
        try:
            said = handshake_of(auth, connection.place)
            check_value(said)
            if said.get("appId"):
                await self._log_in(connection, said)
        except Exception as error:  # noqa: BLE001 - the outermost door
            refused = _refusal(error, "connect")
            raise Refusal(refused["error"]["message"], refused) from None
        self.connections[sid] = connection
        pulse.guests.add(connection)
        hub.sockets[KIND] += 1

    def opened(self, sid: str) -> None:
        if connection := self.connections.get(sid):
            connection.open()

    async def happened(self, name: str, sid: str, *said: Any) -> Answer:
        """The answer to an event, or the envelope of an error: what its acknowledgement carries."""
        connection = self.connections.get(sid)
        if connection is None:
            return _refusal(Unauthorized("Log in first"), name)
        try:
            async with connection.one_at_a_time:
                sent = said[0] if said else {}
                check_value(sent)
                if not isinstance(sent, dict):
                    raise Invalid("The event must carry an object")
                return await self._answer(connection, name, sent)
        except Unauthorized as error:
            if connection.user_id and name != LOGIN:
                connection.end(code=error.code)  # its session has ended
            return _refusal(error, name)
        except Exception as error:  # noqa: BLE001 - the outermost door
            return _refusal(error, name)

    async def disconnected(self, sid: str) -> None:
        connection = self.connections.pop(sid, None)
        if connection is None:
            return
        agent = connection.agent
        connection.close()
        pulse.guests.discard(connection)
        hub.sockets[KIND] -= 1
        others = {one.agent.pk for one in self.connections.values() if one.agent}
        if agent and agent.pk not in others:
            with contextlib.suppress(Exception):  # the database is away, say: leases end by themselves
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


def _refusal(error: Exception, name: str) -> Answer:
    """Their envelope, as the routes answer."""
    refused, status = refusal_of(error)
    if refused is None:
        # The event's name is a stranger's unless it is one of ours.
        log.error("event failed", event_name=name if name in CALLS else "", exc_info=error)
    return {"error": {"code": status, "message": sentence_of(refused)}}


live = Live()
