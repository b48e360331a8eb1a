"""Expertflow's live clients in this process: they come, ask and go. Entered by the server's lifespan."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from django.utils import timezone

from chats.doors.parsers import check_value
from chats.doors.socketio.engine import Engine
from chats.doors.socketio.place import Place
from chats.doors.socketio.service import Answer, Service
from chats.errors import Gone, Invalid, Refused
from chats.models import Participant
from chats.protocols.expertflow.door import envelope, sentence_of
from chats.protocols.expertflow.shapes import HAND_OFF
from chats.protocols.expertflow.words import words_for
from chats.shapes import event_for_customer
from chats.sockets.pulse import Step

from .calls import Joined, Visitor, ask_for_agent, come_in, end, handshake_of, join
from .connection import Connection
from .feed import all_left
from .following import Following
from .registering import register
from .talk import say
from .threads import crew, in_thread
from .watch import Watch

LARGEST = 4_000_000  # bytes of one frame, or of one poll's body: files come as data: addresses


class Live(Service[Connection]):
    """One a process; the engine's handlers."""

    def __init__(self) -> None:
        super().__init__("expertflow", crew, envelope, largest=LARGEST)
        self.watch: Watch

    def beats(self, engine: Engine) -> Sequence[Step]:
        self.watch = watch = Watch(engine, self.clients)
        return watch.end_strangers, watch.check_access, watch.renew_leases, watch.look_at_feeds

    def surveys(self, engine: Engine) -> Sequence[Step]:
        return (self.watch.tell_lonely,)

    def sentence(self, refused: Refused | None) -> str:
        return sentence_of(refused)

    async def admit(self, engine: Engine, sid: str, place: Place, auth: Any) -> Connection:
        connection = Connection(engine, sid, place)
        said = handshake_of(auth, place)
        check_value(said)
        visitor = await in_thread(come_in, place, said)
        connection.caller, connection.center_id = visitor.caller, visitor.center_id
        return connection

    async def let_go(self, client: Connection) -> None:
        await all_left()

    async def answer(self, client: Connection, name: str, said: Any) -> Answer:
        if name not in CALLS:
            raise Invalid("There is no such event")
        return await CALLS[name](client, said)


async def join_conversation(connection: Connection, said: dict[str, Any]) -> Answer:
    """conversationInfo, then what greets, then the acknowledgement, then what is said from now on. Joining again begins anew."""
    visitor = Visitor(connection.place, connection.caller, connection.center_id)
    joined = await in_thread(join, visitor, said, timezone.now())
    if connection.is_closed:
        raise Gone
    following = Following(connection, joined)
    connection.add(following)
    connection.tell("conversationInfo", joined.info)
    for message in joined.activities:
        following.tell(message)
    await _take_channel(connection, joined)
    await connection.handed_over()
    # After the acknowledgement, which goes out before anybody else has a turn.
    connection.loop.call_soon(following.start)
    return {"code": 200, "conversationId": joined.conversation.id, "id": joined.conversation.me}


async def _take_channel(connection: Connection, joined: Joined) -> None:
    """A connector that joins a conversation before it has registered is taken for registered, unless another one is there."""
    connector = joined.connector
    if not joined.is_carried or connector is None or connector.name in connection.feeds:
        return
    if not connector.is_there(timezone.now()):
        with contextlib.suppress(Refused):  # it has as many channels as it can have
            await register(connection, {"id": connector.name, "channel": connector.name})


async def send_message(connection: Connection, said: dict[str, Any]) -> Answer:
    return await say(connection.following_of(said.get("conversationId")), said)


async def end_conversation(connection: Connection, said: dict[str, Any]) -> Answer:
    following = connection.following_of(said.get("conversationId"))
    closed = await in_thread(end, following.participant, timezone.now())
    if following.is_carried and closed and closed.sender_kind == Participant.Kind.CUSTOMER:
        # A feed leaves out what the customer's side does; others hear it from the log.
        for message in words_for(following.conversation, event_for_customer(closed)):
            following.tell(message)
    return {"code": 200, "conversationId": following.conversation.id}


async def request_agent(connection: Connection, said: dict[str, Any]) -> Answer:
    following = connection.following_of(said.get("conversationId"))
    await in_thread(ask_for_agent, following.participant, timezone.now())
    following.tell_activity(HAND_OFF, following.conversation.system())
    return {"code": 200, "conversationId": following.conversation.id}


CALLS: dict[str, Callable[[Connection, dict[str, Any]], Awaitable[Answer]]] = {
    "registerConnector": register,
    "joinConversation": join_conversation,
    "sendMessage": send_message,
    "endConversation": end_conversation,
    "requestAgentTransfer": request_agent,
}

live = Live()
