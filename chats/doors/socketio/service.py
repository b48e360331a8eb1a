"""A door's live clients in this process: they come, ask and go. Entered by the server's lifespan."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Generic, TypeVar

import structlog
from socketio.exceptions import ConnectionRefusedError as Refusal

from chats.doors.parsers import check_value
from chats.doors.refusals import refusal_of
from chats.errors import Invalid, Refused, Unauthorized
from chats.live import hub
from chats.sockets.pulse import Step, pulse

from .client import Client
from .engine import Engine
from .gate import Gate
from .place import Place, place_of
from .threads import Crew

log = structlog.get_logger(__name__)

Answer = dict[str, Any]
Envelope = Callable[[int, str], Answer]
One = TypeVar("One", bound=Client)


class Service(ABC, Generic[One]):
    """One a process and door; the engine's handlers. `envelope`: (HTTP status, sentence) → how the door says no."""

    def __init__(self, kind: str, crew: Crew, envelope: Envelope, *, largest: int) -> None:
        self.kind, self.crew, self.envelope = kind, crew, envelope
        self.gate = Gate(crew, envelope, largest)
        self.clients: dict[str, One] = {}

    # What a protocol says -----------------------------------------------------------------------------------------------

    @abstractmethod
    async def admit(self, engine: Engine, sid: str, place: Place, auth: Any) -> One:
        """Who connects. Raises whatever the rules raise: then it is refused."""

    @abstractmethod
    async def answer(self, client: One, name: str, said: Any) -> Answer:
        """Do what an event asks, one at a time for each client. What it returns goes back as the acknowledgement."""

    async def let_go(self, client: One) -> None:
        """The client has gone, and is closed already."""

    def beats(self, engine: Engine) -> Sequence[Step]:
        """What the pulse does for all of them every two seconds."""
        return ()

    def surveys(self, engine: Engine) -> Sequence[Step]:
        """What the pulse does where it looks at queues."""
        return ()

    def sentence(self, refused: Refused | None) -> str:
        return str(refused.message) if refused else "Something went wrong here. Try again."

    # The server's life --------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within chats.sockets.service.running, whose pulse it joins."""
        engine = self.gate.engine = Engine(self, self.kind, self.gate.largest)
        beats, surveys = self.beats(engine), self.surveys(engine)
        pulse.beats.extend(beats)
        pulse.surveys.extend(surveys)
        try:
            yield
        finally:
            for beat in beats:
                pulse.beats.remove(beat)
            for survey in surveys:
                pulse.surveys.remove(survey)
            for sid in list(self.clients):
                await self.disconnected(sid)
            self.gate.engine = None
            await engine.shutdown()

    # The engine's handlers ----------------------------------------------------------------------------------------------

    async def connected(self, sid: str, scope: Any, auth: Any) -> None:
        engine = self.gate.engine
        assert engine is not None  # noqa: S101 - it is what calls
        try:
            check_value(auth)
            client = await self.admit(engine, sid, place_of(scope), auth)
        except Exception as error:  # noqa: BLE001 - the outermost door
            refused = self.refusal(error, "connect")
            raise Refusal(self._sentence_of(error), refused) from None
        self.clients[sid] = client
        pulse.guests.add(client)
        hub.sockets[self.kind] += 1

    def opened(self, sid: str) -> None:
        if client := self.clients.get(sid):
            client.open()

    async def happened(self, name: str, sid: str, *said: Any) -> Answer:
        """The answer to an event, or the envelope of an error: what its acknowledgement carries."""
        client = self.clients.get(sid)
        try:
            if client is None:
                raise Unauthorized("Log in first")
            async with client.one_at_a_time:
                sent = said[0] if said else {}
                check_value(sent)
                if not isinstance(sent, dict):
                    raise Invalid("The event must carry an object")
                return await self.answer(client, name, sent)
        except Exception as error:  # noqa: BLE001 - the outermost door
            return self.refusal(error, name)

    async def disconnected(self, sid: str) -> None:
        client = self.clients.pop(sid, None)
        if client is None:
            return
        client.close()
        pulse.guests.discard(client)
        hub.sockets[self.kind] -= 1
        with contextlib.suppress(Exception):  # the database is away, say: what it held ends by itself
            await self.let_go(client)

    def refusal(self, error: Exception, name: str) -> Answer:
        """How the door says no to an event; a fault of our own is logged."""
        refused, status = refusal_of(error)
        if refused is None:
            log.error("event failed", door=self.kind, event_name=name[:40], exc_info=error)
        return self.envelope(status, self.sentence(refused))

    def _sentence_of(self, error: Exception) -> str:
        return self.sentence(refusal_of(error)[0])
