"""One app's socket: hears what is announced, looks, and sends what is new."""

import asyncio
from typing import Any

import structlog
from django.utils import timezone

from chats.actions.app_sessions import mark_seen
from chats.errors import Refused
from chats.live import Payload, hub
from chats.protocols.comapi.names import SYSTEM
from chats.sockets.base import NOT_PROVEN, NOT_READING, STALLED_SECONDS, Socket
from chats.sockets.threads import in_thread
from contactcenter.outage import is_outage

from .looking import Known, first_look, look
from .seat import Knock, Seat, sit_down

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 2.0  # after a look that failed


class AppSocket(Socket):
    """Reads nothing of what its client sends, but keeps the limits of frames."""

    kind = "app"
    FRAMES = {}

    seat: Seat
    known: Known
    _looking: asyncio.Task[None] | None = None
    _is_dirty = False

    # Coming and going -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self._stop_listening()  # also where the handshake itself has failed

    async def admit(self) -> bool:
        """Who is refused hears it before the handshake, as HTTP 403. Listens before it reads, so that nothing falls in between."""
        try:
            self.seat = await in_thread(sit_down, self._knock(), timezone.now())
            self.topic = f"app:{self.seat.profile.customer_id}"
            hub.subscribe(self.topic, self._hear_of)
            self.known = await in_thread(first_look, self.seat, timezone.now())
        except Refused:
            return False
        except Exception as error:  # noqa: BLE001 - the outermost door: the client comes again
            _note("app not admitted", error)
            return False
        self._listen(self.known)
        self.is_welcome = True
        self.push(self.seat.frames.info(timezone.now()))
        # What was announced while it read.
        self.look_soon()
        self._marking = asyncio.ensure_future(in_thread(mark_seen, self.seat.session.pk, timezone.now()))
        return True

    def _knock(self) -> Knock:
        host = self.header(b"host")
        return Knock(
            space_id=self.scope["url_route"]["kwargs"]["space_id"],
            query=self.scope.get("query_string", b"").decode("latin1"),
            origin=self.header(b"origin"),
            host=host,
            is_secure=self.scope.get("scheme") == "wss",
        )

    async def _clean_up(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        session_id = self.seat.session.pk
        others = (one for one in self.everyone if isinstance(one, AppSocket) and one is not self)
        # Two windows of one browser share a session.
        if all(one.seat.session.pk != session_id for one in others):
            await asyncio.gather(self._marking, return_exceptions=True)
            await in_thread(mark_seen, session_id, None)

    def revoke(self) -> None:
        """Its session has ended."""
        self.end(NOT_PROVEN)

    # What the client says ---------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while await self._hear(await self._receive()):
            pass

    async def _take(self, raw: str) -> None:
        """An echo, which wants no answer."""

    def refuse(self, ref: str | None, refusal: Refused) -> None:
        """Frames that are no text: left alone, too."""

    def check_client(self, now: float) -> None:
        """The server's own pings find out who is gone; here, who does not read."""
        if self._sending_since is not None and now - self._sending_since > STALLED_SECONDS:
            self.end(NOT_READING)

    # What is announced ------------------------------------------------------------------------------------------------

    def _listen(self, known: Known, before: Known | None = None) -> None:
        old, new = set(before.chats if before else ()), set(known.chats)
        for chat_id in old - new:
            hub.unsubscribe(f"customer:{chat_id}", self._hear_of)
        for chat_id in new - old:
            hub.subscribe(f"customer:{chat_id}", self._hear_of)

    def _stop_listening(self) -> None:
        if hasattr(self, "topic"):
            hub.unsubscribe(self.topic, self._hear_of)
        for chat_id in self.known.chats if hasattr(self, "known") else ():
            hub.unsubscribe(f"customer:{chat_id}", self._hear_of)

    def _hear_of(self, topic: str, payload: Payload) -> None:
        if payload["kind"] == "whisper" and payload["what"] == "typing":
            self._tell_typing_in(topic.partition(":")[2], payload["data"])
        else:
            self.look_soon()

    def _tell_typing_in(self, chat_id: str, said: dict[str, Any]) -> None:
        talks = {str(pk): name for pk, name in self.known.chats.items()} if self.is_welcome else {}
        sender = said.get("sender") or {}
        if chat_id in talks and sender.get("kind") != "customer":
            profile = self.known.typists.get(str(sender.get("id")), SYSTEM)
            active = bool(said.get("active"))
            frames = self.seat.frames
            self.whisper(frames.typing(talks[chat_id], chat_id, profile, active=active, at=timezone.now()))

    def look_soon(self) -> None:
        """Look, or look again when the look that is under way is done."""
        self._is_dirty = True
        if self._looking is None and self.is_welcome:
            self._looking = self.loop.create_task(self._look())

    async def _look(self) -> None:
        try:
            while self._is_dirty:
                self._is_dirty = False
                found = await in_thread(look, self.seat, self.known, timezone.now())
                self._listen(found.known, self.known)
                # A chat that it has not heard of may have gone on before it was listened to.
                is_moved = found.known.chats.keys() != self.known.chats.keys()
                self.known = found.known
                for frame in found.frames:
                    self.push(frame)
                self._is_dirty = self._is_dirty or is_moved or not found.is_all
                await self.drained()
        except Exception as error:  # noqa: BLE001 - as above: it looks again
            _note("app not told", error)
            self._is_dirty = True
            self.loop.call_later(AGAIN_SECONDS, self._look_again)
        finally:
            self._looking = None

    def _look_again(self) -> None:
        if self in self.everyone:
            self.look_soon()


def _note(words: str, error: Exception) -> None:
    if is_outage(error):
        log.warning(words, error=type(error).__name__)
    else:
        log.error(words, exc_info=error)
