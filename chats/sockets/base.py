"""One websocket from accept to end: reading frames within limits, answering each, sending without waiting for slow clients."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from agents.errors import TicketRefused
from chats.actions.post import Post, Posted
from chats.errors import Failed, Invalid, Refused, Unauthorized, Unavailable
from chats.languages import accepted_language, spoken
from chats.live import hub
from chats.live.listen import to_json
from chats.shapes import stamp
from contactcenter.outage import is_outage
from contactcenter.waiting import Flag

from .fields import Field, Wrong, read_fields, read_json, text
from .poster import poster

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

LARGEST_FRAME = 65_536  # bytes
HELLO_SECONDS = 5.0
STALLED_SECONDS = 20.0  # one send that takes longer: the client does not read
MOST_POSTS = 64  # of one socket on their way
MOST_FRAMES = 1_000  # that wait for a slow client
MOST_WAITING = 4 * 1024 * 1024  # characters of them
PING_SECONDS = 20.0
UNANSWERED = 2
BYE_SECONDS = 2.0
WHISPERS_UNTIL = 20  # frames that wait; past them nobody is told who types
TYPING_SECONDS = 0.25  # between two words about typing
ABORT = "contactcenter.abort"  # the server's extension that drops a connection whose client does not read

GOOD_BYE, TOO_BIG, RESTART, AGAIN = 1000, 1009, 1012, 1013
NO_HELLO, NOT_PROVEN, NOT_HERE, NOT_READING = 4400, 4401, 4403, 4408

check_ref = text(64)


class Ended(Exception):
    """This socket must end: a close code, and what `bye` says of it."""

    def __init__(self, close_code: int, code: str = "", message: Any = "") -> None:
        super().__init__(close_code)
        self.close_code, self.code, self.message = close_code, code, message


class Frame(dict[str, Any]):
    """A frame's checked fields, with its `ref`."""

    ref: str | None = None


class Socket:
    """An ASGI application for one connection. Subclasses name their FRAMES: type → (fields, name of the method)."""

    kind: ClassVar[str]
    FRAMES: ClassVar[Mapping[str, tuple[Mapping[str, Field], str]]]
    everyone: ClassVar[set["Socket"]] = set()

    def __init__(self, scope: Scope, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Any]) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.loop = asyncio.get_running_loop()
        self.language = settings.LANGUAGE_CODE
        self.is_welcome = False
        self.heard_at = self.pinged_at = self.loop.time()
        self.unanswered = 0
        self._frames: deque[str] = deque()
        self._waiting = 0
        self._has_frames = Flag()
        self._is_drained = Flag()
        self._sending_since: float | None = None
        self._ending: asyncio.Future[Ended] = self.loop.create_future()
        self.posts: set[asyncio.Future[Posted | Refused]] = set()  # not yet acknowledged
        self._typing: Callable[[], None] | None = None
        self._typing_timer: asyncio.TimerHandle | None = None

    @classmethod
    def as_asgi(cls) -> Callable[..., Awaitable[None]]:
        async def application(scope: Scope, receive: Any, send: Any) -> None:
            await cls(scope, receive, send).run()

        return application

    # Life -------------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        await self._receive()  # websocket.connect
        if not await self.admit():
            await self._send({"type": "websocket.close", "code": NOT_HERE})
            return
        await self._send({"type": "websocket.accept"})
        reading = asyncio.ensure_future(self._read())
        writing = asyncio.ensure_future(self._write())
        self.everyone.add(self)
        hub.sockets[self.kind] += 1
        try:
            parts: set[asyncio.Future[Any]] = {reading, writing, self._ending}
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
            ended = self._how_it_ended(reading)
            if ended and not writing.done():
                await self._part(ended, writing)
        finally:
            # Whatever happened: a disconnect message may never come, and a send may have failed.
            self.everyone.discard(self)
            hub.sockets[self.kind] -= 1
            if self._typing_timer:
                self._typing_timer.cancel()
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            await asyncio.shield(self._clean_up_whatever())

    async def admit(self) -> bool:
        """Whether the handshake is taken at all; most prove themselves by their first frame."""
        return True

    def _how_it_ended(self, reading: "asyncio.Future[None]") -> Ended | None:
        """None: the connection is gone already."""
        if self._ending.done():
            return self._ending.result()
        if reading.done() and not reading.cancelled():
            error = reading.exception()
            if isinstance(error, Ended):
                return error
            if error is not None:
                log.error("socket failed", kind=self.kind, exc_info=error)
                return Ended(1011, "failed", Failed.default)
        return None

    async def _part(self, ended: Ended, writing: "asyncio.Future[None]") -> None:
        """Say bye and close; drop the connection if the client does not take even that."""
        if ended.code:
            with translation.override(self.language):
                self.push(to_json({"type": "bye", "code": ended.code, "message": str(ended.message)}))
        try:
            async with asyncio.timeout(BYE_SECONDS):
                while self._frames or self._sending_since is not None:
                    if writing.done():
                        return
                    await asyncio.sleep(0.01)
                await self._send({"type": "websocket.close", "code": ended.close_code, "reason": ended.code})
        except TimeoutError:
            hub.counters["cut"] += 1
            # Closing would wait until the client has read everything: it is dropped instead.
            if abort := self.scope.get("extensions", {}).get(ABORT):
                abort()
        except (OSError, RuntimeError):
            return

    def end(self, close_code: int, code: str = "", message: Any = "") -> None:
        """End this socket soon; callable from anything in the event loop."""
        if not self._ending.done():
            self._ending.set_result(Ended(close_code, code, message))

    async def _clean_up_whatever(self) -> None:
        try:
            await self._clean_up()
        except Exception as error:  # noqa: BLE001 - the database is away, say: leases end by themselves
            log.warning("clean-up failed", kind=self.kind, error=type(error).__name__)

    async def _clean_up(self) -> None:
        """Give back what the connection held. A subclass's leases and subscriptions."""
        raise NotImplementedError

    # Reading ----------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        self.speak(self.browsers_language())
        deadline = self.loop.time() + HELLO_SECONDS
        while not self.is_welcome:
            try:
                # Only the client's time counts: what we need for the answer, with a slow database say, is not its fault.
                async with asyncio.timeout_at(deadline):
                    message = await self._receive()
            except TimeoutError:
                raise Ended(NO_HELLO, "invalid", _("Say hello within five seconds.")) from None
            if not await self._hear(message):
                return
        while await self._hear(await self._receive()):
            pass

    async def _hear(self, message: Message) -> bool:
        """Whether the connection goes on."""
        if message["type"] != "websocket.receive":
            return False
        self.heard_at = self.loop.time()
        hub.counters["frames_in"] += 1
        raw = message.get("text")
        if raw is None:
            self.refuse(None, Invalid(_("Frames are JSON texts.")))
            return True
        if len(raw) > LARGEST_FRAME or len(raw.encode(errors="replace")) > LARGEST_FRAME:
            raise Ended(TOO_BIG, "too_large", _("A frame has at most 64 KB."))
        await self._take(raw)
        return True

    async def _take(self, raw: str) -> None:
        """One frame: read it, let its method do it, answer. The outermost door."""
        ref = None
        try:
            sent = read_json(raw)
            ref = _ref(sent)
            method, frame = self._recognise(sent)
            frame.ref = ref
            if self.posts and sent["type"] != "post":
                # What was sent first happens first: a close never overtakes the message before it.
                await asyncio.wait(self.posts)
            answer = await method(frame)
            if answer is not None and ref is not None:
                self.push(to_json({"type": "ack", "ref": ref, **answer}))
        except Ended:
            raise
        except Refused as refusal:
            self.refuse(ref, refusal)
        except TicketRefused as refusal:
            raise Ended(NOT_PROVEN, refusal.code, refusal.message) from None
        except Exception as error:  # noqa: BLE001 - logged in _own_fault
            ours = self._own_fault(error, raw)
            self.refuse(ref, ours)
            if not self.is_welcome:
                # Half a hello is none: a ticket may be spent, a subscription made. The client comes again, all anew.
                raise Ended(AGAIN, ours.code, ours.message) from None

    def _own_fault(self, error: Exception, raw: str) -> Refused:
        if is_outage(error):
            log.warning("database away", kind=self.kind, error=type(error).__name__)
            return Unavailable()
        # The frame's type is ours to log, its content is not.
        log.error("frame failed", kind=self.kind, frame=_name_of(raw), exc_info=error)
        return Failed()

    def _recognise(self, sent: dict[str, Any]) -> tuple[Callable[[Frame], Awaitable[Any]], Frame]:
        name = sent.get("type")
        known = self.FRAMES.get(name) if isinstance(name, str) else None
        if not self.is_welcome and name != "hello":
            raise Ended(NO_HELLO, "invalid", _("Say hello first."))
        if known is None:
            raise Invalid(_("There is no such frame."), fields={"type": _("Unknown.")})
        fields, method = known
        return getattr(self, method), Frame(read_fields(fields, sent))

    def say_typing(self, say: Callable[[], None]) -> None:
        """Call `say` now, or when the last one is long enough ago; of several that wait, the newest."""
        self._typing = say
        if self._typing_timer is None:
            self._tell_typing()

    def _tell_typing(self) -> None:
        say, self._typing, self._typing_timer = self._typing, None, None
        if say is not None:
            self._typing_timer = self.loop.call_later(TYPING_SECONDS, self._tell_typing)
            say()

    async def hand_over(self, post: Post, ref: str | None) -> None:
        """Give a message to the poster and go on reading; the acknowledgement follows the commit."""
        while len(self.posts) >= MOST_POSTS:
            await asyncio.wait(self.posts, return_when=asyncio.FIRST_COMPLETED)
        self._typing = None  # said before the message, it must not be heard after it
        future = poster.post(post)
        self.posts.add(future)
        future.add_done_callback(lambda done: self._acknowledge(done, ref))

    def _acknowledge(self, done: "asyncio.Future[Posted | Refused]", ref: str | None) -> None:
        self.posts.discard(done)
        if done.cancelled():
            return
        outcome = done.result()
        if isinstance(outcome, Refused):
            self.refuse(ref, outcome)
        elif ref is not None:
            self.push(to_json({"type": "ack", "ref": ref, **self.posted_body(outcome)}))

    def posted_body(self, posted: Posted) -> dict[str, Any]:
        """What the acknowledgement of a message says."""
        said = {"client_id": posted.client_id, "index": posted.index, "at": stamp(posted.at)}
        return said | {"replayed": posted.replayed}

    # Writing ----------------------------------------------------------------------------------------------------------

    def push(self, frame: str) -> None:
        """Send a frame when its turn comes. Never waits; a client that lets too much pile up is cut."""
        self._frames.append(frame)
        self._waiting += len(frame)
        self._has_frames.set()
        if len(self._frames) > MOST_FRAMES or self._waiting > MOST_WAITING:
            self.end(NOT_READING, "too_slow", _("You do not read what we send."))

    def push_dict(self, **frame: Any) -> None:
        self.push(to_json(frame))

    def whisper(self, frame: str) -> bool:
        """Send what may be lost, unless the client is behind already: nobody is cut because others type fast."""
        if len(self._frames) >= WHISPERS_UNTIL:
            return False
        self.push(frame)
        return True

    def refuse(self, ref: str | None, refusal: Refused) -> None:
        with translation.override(self.language):
            said = refusal.as_dict()
        self.push(to_json({"type": "error"} | ({} if ref is None else {"ref": ref}) | said))

    async def drained(self) -> None:
        """Until the client has taken what waits: for long reads, which must not pile up."""
        while len(self._frames) > 2:
            self._is_drained.clear()
            await self._is_drained.wait()

    async def _write(self) -> None:
        while True:
            await self._has_frames.wait()
            while self._frames:
                frame = self._frames.popleft()
                self._waiting -= len(frame)
                self._sending_since = self.loop.time()
                await self._send({"type": "websocket.send", "text": frame})
                self._sending_since = None
                hub.counters["frames_out"] += 1
            self._has_frames.clear()
            self._is_drained.set()

    # Looked at by the pulse -------------------------------------------------------------------------------------------

    def check_client(self, now: float) -> None:
        """End it when the client does not read or answer; ask for a sign of life when it is time. `now`: the loop's clock."""
        if self._sending_since is not None and now - self._sending_since > STALLED_SECONDS:
            self.end(NOT_READING, "too_slow", _("You do not read what we send."))
        elif self.is_welcome and now - self.pinged_at >= PING_SECONDS:
            if self.unanswered >= UNANSWERED:
                self.end(NOT_READING, "silent", _("You do not answer."))
                return
            self.pinged_at = now
            self.unanswered += 1
            self.push_dict(type="ping", at=stamp(timezone.now()), **self.ping_body())

    def ping_body(self) -> dict[str, Any]:
        raise NotImplementedError

    def speak(self, *tags: str) -> None:
        """Choose the client's language: the first tag that we speak. Whatever the reading task calls, in threads too, speaks it from now on."""
        self.language = spoken(*tags) or settings.LANGUAGE_CODE
        translation.activate(self.language)

    def browsers_language(self) -> str:
        return accepted_language(self.header(b"accept-language") or "")

    def header(self, name: bytes) -> str | None:
        """A header of the handshake; None when it is absent, "" when it came more than once."""
        found = [value for key, value in self.scope.get("headers", []) if key == name]
        return None if not found else found[0].decode("latin1") if len(found) == 1 else ""


def _ref(sent: dict[str, Any]) -> str | None:
    ref = sent.get("ref")
    if ref is None:
        return None
    try:
        return check_ref(ref)
    except Wrong as error:
        raise Invalid(fields={"ref": error.args[0]}) from None


def _name_of(raw: str) -> str:
    with contextlib.suppress(Refused):
        name = read_json(raw).get("type")
        return name[:30] if isinstance(name, str) else ""
    return ""


def unauthorized() -> Ended:
    return Ended(NOT_PROVEN, "unauthorized", Unauthorized.default)
