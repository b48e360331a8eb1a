"""The customer's socket (docs/realtime.md, "Customer socket")."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chats.actions.begin import Wish, begin_chat
from chats.actions.close import close_by_customer
from chats.actions.post import Post
from chats.actions.read import mark_delivered, mark_read
from chats.actions.sessions import find_session, read_session, slide_session
from chats.actions.show import show_typing
from chats.actions.survey import answer_survey
from chats.actions.tend import search_again
from chats.errors import NotFound
from chats.live import Payload, hub
from chats.live.listen import to_json
from chats.models import Chat, CustomerSession, Participant
from chats.shapes import chat_for_customer, customer_shape, for_customer, stamp
from contactcenter.models import Installation

from . import fields, gather
from .base import NOT_HERE, Ended, Frame, Socket, unauthorized
from .fields import optional, required
from .origins import is_allowed
from .pulse import pulse
from .reader import Reader
from .threads import in_thread

log = structlog.get_logger(__name__)

QUIET = frozenset({"message.posted", "customer.reminded"})  # events that leave the chat's shape as it was
MOST_DATA = 16_384  # bytes

PAGE = {"url": optional(fields.text(2000), ""), "title": optional(fields.text(300), "")}


def page(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise fields.Wrong(_("This must be an object with url and title."))
    return {name: PAGE[name].check(value[name]) if value.get(name) else "" for name in PAGE}


@dataclass(frozen=True, slots=True)
class Shown:
    """The chat as the client has it. Thousands of sockets wait for hours: none of them keeps rows."""

    id: UUID
    state: str
    team_id: UUID
    body: str

    @classmethod
    def of(cls, chat: Chat, body: dict[str, Any]) -> "Shown":
        """`body`: what chat_for_customer says of it."""
        return cls(chat.pk, str(chat.state), chat.team_id, to_json(body))


class CustomerSocket(Socket):
    """One client of one customer; it follows one chat at a time."""

    kind = "customer"
    FRAMES = {
        "hello": (
            {
                "token": required(fields.text(200, 1)),
                "chat": optional(fields.uuid),
                "after": optional(fields.cursor, 0),
                "epoch": optional(fields.text(64), ""),
                "language": optional(fields.text(10), ""),
            },
            "on_hello",
        ),
        "start": (
            {
                "client_id": required(fields.client_id),
                "team": optional(fields.text(64), ""),
                "subject": optional(fields.text(200), ""),
                "text": optional(fields.text(60_000), ""),
                "form": optional(fields.map_of(fields.text(40, 1), fields.text(2000), 30), {}),
                "data": optional(fields.plain(MOST_DATA), {}),
                "page": optional(page, {"url": "", "title": ""}),
                "language": optional(fields.text(10), ""),
            },
            "on_start",
        ),
        "post": (
            {
                "chat": required(fields.uuid),
                "client_id": required(fields.client_id),
                "text": optional(fields.text(60_000), ""),
                "attachments": optional(fields.list_of(fields.uuid, 10), ()),
            },
            "on_post",
        ),
        "typing": (
            {
                "chat": required(fields.uuid),
                "active": required(fields.boolean),
                "text": optional(fields.text(10_000), ""),
            },
            "on_typing",
        ),
        "read": ({"chat": required(fields.uuid), "index": required(fields.cursor)}, "on_read"),
        "close": ({"chat": required(fields.uuid)}, "on_close"),
        "search": ({"chat": required(fields.uuid)}, "on_search"),
        "survey": (
            {
                "chat": required(fields.uuid),
                "rating": optional(fields.whole(1, 5)),
                "comment": optional(fields.text(10_000), ""),
            },
            "on_survey",
        ),
        "pong": ({"after": optional(fields.cursor, 0)}, "on_pong"),
    }

    session_id: UUID
    customer_id: UUID
    reader: Reader | None = None
    chat: Shown | None = None
    participant: Participant | None = None  # in that chat
    place: tuple[int, int | None] | None = None
    team_topic: str | None = None
    delivered = 0
    _telling: asyncio.Task[None] | None = None
    _tell_again = False
    is_behind = False  # the chat has changed and could not be read

    # Hello ------------------------------------------------------------------------------------------------------------

    async def on_hello(self, frame: Frame) -> None:
        session = await in_thread(self._prove, frame["token"])
        if session is None:
            raise unauthorized()
        is_secure = self.scope.get("scheme") == "wss"
        origin, host = self.header(b"origin"), self.header(b"host")
        if not is_allowed(origin, host, is_secure=is_secure, allowed=session.channel.allowed_origins):
            raise Ended(NOT_HERE, "forbidden", _("This site may not show this widget."))
        self.session_id, self.customer_id = session.pk, session.customer_id
        wishes = (frame["language"], session.customer.language, self.browsers_language())
        self.speak(*wishes, session.center.language)
        epoch, chat, participant = await in_thread(_enter, session.customer_id, frame["chat"])
        after = frame["after"]
        is_reset = chat is not None and (after > chat.index or frame["epoch"] not in ("", epoch))
        welcome: dict[str, Any] = {"type": "welcome"} | ({"ref": frame.ref} if frame.ref is not None else {})
        shown = chat_for_customer(chat) if chat else None
        customer = customer_shape(session.customer)
        self._follow(None)
        self.push_dict(**welcome, epoch=epoch, now=stamp(timezone.now()), customer=customer, chat=shown, reset=is_reset)
        self.is_welcome = True
        if chat:
            self._follow(chat, participant, after=0 if is_reset else after)

    @staticmethod
    def _prove(token: str) -> CustomerSession | None:
        now = timezone.now()
        session = find_session(token, now)
        if session:
            slide_session(session, now)
        return session

    # Following a chat -------------------------------------------------------------------------------------------------

    def _follow(self, chat: Chat | None, participant: Participant | None = None, *, after: int = 0) -> None:
        """Read this chat from now on, and no other."""
        if self.reader:
            self.reader.stop()
        self.reader, self.place, self.delivered = None, None, 0
        self.participant = _alone(participant) if participant else None
        self._know(Shown.of(chat, chat_for_customer(chat)) if chat else None)
        if chat:
            self.reader = Reader(self, gather.CUSTOMER, chat.pk, after)
            self.reader.start()

    def _know(self, shown: Shown | None) -> None:
        """What the client has of the chat; while it waits, its team's queue is of interest."""
        self.chat = shown
        is_waiting = shown is not None and shown.state in Chat.WAITING
        topic = f"team:{shown.team_id}" if shown and is_waiting else None
        if topic != self.team_topic:
            if self.team_topic:
                hub.unsubscribe(self.team_topic, self._hear_team)
            if topic:
                hub.subscribe(topic, self._hear_team)
            self.team_topic = topic
        if not is_waiting:
            self.place = None
        else:
            pulse.poke()

    def _hear_team(self, _topic: str, _payload: Payload) -> None:
        pulse.poke()

    def passed(self, reader: Reader, types: frozenset[str]) -> None:
        """The reader has passed these events on: the chat itself may have changed with them."""
        if types <= QUIET:
            return
        self.tell_again()

    def tell_again(self) -> None:
        """Look at the chat, and tell the client if it has changed."""
        if self._telling is None:
            self._telling = self.loop.create_task(self._tell_chat())
        else:
            self._tell_again = True

    async def _tell_chat(self) -> None:
        try:
            while (reader := self.reader) is not None:
                self._tell_again = False
                chat = await gather.chats.get(reader.chat_id)
                if reader is not self.reader:
                    continue  # another chat is followed by now: that one is of interest
                # A chat that was read before the last event would undo it in the client.
                if chat and (chat.index < reader.cursor or self._tell_again):
                    continue
                if chat:
                    self._show(chat)
                self.is_behind = False
                return
        except Exception as error:  # noqa: BLE001 - the database is away, say: the pulse comes again
            self.is_behind = True
            log.warning("chat not read", error=type(error).__name__)
        finally:
            self._telling = None

    def _show(self, chat: Chat) -> None:
        body = chat_for_customer(chat)
        shown = Shown.of(chat, body)
        if shown != self.chat:
            self.push_dict(type="chat", chat=body)
            self._know(shown)

    def tell_place(self, place: tuple[int, int | None] | None) -> None:
        """Where the chat stands in its queue, when that has changed."""
        if place is None or place == self.place or not self.chat:
            return
        self.place = place
        self.push_dict(type="queue", chat=str(self.chat.id), position=place[0], wait_seconds=place[1])

    async def adopt(self, chat_id: UUID) -> None:
        """The customer has opened a chat elsewhere (another window, another device)."""
        chat, participant = await in_thread(_find_chat, self.customer_id, chat_id)
        if chat and (self.chat is None or self.chat.id != chat_id):
            self.push_dict(type="chat", chat=chat_for_customer(chat))
            self._follow(chat, participant)

    # Frames -----------------------------------------------------------------------------------------------------------

    async def on_start(self, frame: Frame) -> None:
        page_of = frame.pop("page")
        wish = Wish(**frame, page_url=page_of["url"], page_title=page_of["title"])
        chat, participant, index, replayed = await in_thread(self._begin, wish)
        shown = chat_for_customer(chat)
        if frame.ref is not None:
            self.push_dict(type="ack", ref=frame.ref, chat=shown, index=index, replayed=replayed)
        if self.chat is None or self.chat.id != chat.pk:
            self._follow(chat, participant)

    def _begin(self, wish: Wish) -> tuple[Chat, Participant, int, bool]:
        now = timezone.now()
        session = read_session(self.session_id, now)
        if session is None:
            raise unauthorized()
        started = begin_chat(session.channel, session.customer, wish, now=now)
        chat = for_customer(Chat.objects.filter(pk=started.chat.pk)).get()
        return chat, started.participant, chat.index, started.replayed

    async def on_post(self, frame: Frame) -> None:
        participant = await self._me(frame["chat"])
        post = Post(frame["chat"], participant.pk, frame["client_id"], frame["text"], frame["attachments"])
        await self.hand_over(post, frame.ref)

    async def on_typing(self, frame: Frame) -> dict[str, Any]:
        said = partial(show_typing, await self._me(frame["chat"]), active=frame["active"], text=frame["text"])
        self.say_typing(said)
        return {}

    async def on_read(self, frame: Frame) -> dict[str, Any]:
        participant = await self._me(frame["chat"])
        await in_thread(mark_read, participant, frame["index"])
        return {}

    async def on_close(self, frame: Frame) -> dict[str, Any]:
        participant = await self._me(frame["chat"])
        chat = await in_thread(close_by_customer, participant, now=timezone.now())
        return {"index": chat.index}

    async def on_search(self, frame: Frame) -> dict[str, Any]:
        participant = await self._me(frame["chat"])
        await in_thread(search_again, participant, now=timezone.now())
        return {}

    async def on_survey(self, frame: Frame) -> dict[str, Any]:
        participant = await self._me(frame["chat"])
        answer = {"rating": frame["rating"], "comment": frame["comment"]}
        await in_thread(answer_survey, participant, **answer, now=timezone.now())
        return {}

    async def on_pong(self, frame: Frame) -> dict[str, Any]:
        self.unanswered = 0
        after = frame["after"]
        if self.participant and self.reader and self.delivered < after <= self.reader.cursor:
            self.delivered = after
            await in_thread(mark_delivered, self.participant, after)
        return {}

    async def _me(self, chat_id: UUID) -> Participant:
        """The customer in one of the customer's chats. Raises NotFound for every other chat."""
        if self.participant and self.participant.chat_id == chat_id:
            return self.participant
        _chat, participant = await in_thread(_find_chat, self.customer_id, chat_id)
        if participant is None:
            raise NotFound
        return participant

    # The pulse --------------------------------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        return [self.reader] if self.reader else []

    def ping_body(self) -> dict[str, Any]:
        return {"head": self.reader.head if self.reader else 0}

    async def _clean_up(self) -> None:
        if self.reader:
            self.reader.stop()
        if self.team_topic:
            hub.unsubscribe(self.team_topic, self._hear_team)
        if self._telling:
            self._telling.cancel()


def _enter(customer_id: UUID, chat_id: UUID | None) -> tuple[str, Chat | None, Participant | None]:
    """The database's epoch, and the chat to follow: the named one, else the open one. Raises NotFound for a foreign one."""
    epoch = str(Installation.current().epoch)
    if chat_id is None:
        chat_id = Chat.objects.open().filter(customer_id=customer_id).values_list("pk", flat=True).first()
        if chat_id is None:
            return epoch, None, None
    chat, participant = _find_chat(customer_id, chat_id)
    if chat is None:
        raise NotFound
    return epoch, chat, participant


def _find_chat(customer_id: UUID, chat_id: UUID) -> tuple[Chat | None, Participant | None]:
    mine: QuerySet[Chat] = Chat.objects.filter(customer_id=customer_id, pk=chat_id)
    chat = for_customer(mine).first()
    if chat is None:
        return None, None
    return chat, next(one for one in chat.participants.all() if one.kind == Participant.Kind.CUSTOMER)


def _alone(participant: Participant) -> Participant:
    """The same row, without the chat that it was read with and all that hangs on it."""
    names = [field.attname for field in Participant._meta.concrete_fields]
    using = participant._state.db or DEFAULT_DB_ALIAS
    return Participant.from_db(using, names, [getattr(participant, name) for name in names])
