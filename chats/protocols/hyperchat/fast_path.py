"""What servers of applications ask all the time, as plain calls (chats.doors.fast_path): a chat's messages, and a user's message."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chats.actions.post import Post
from chats.doors import fast_path
from chats.doors.fast_path import Call, Said
from chats.models import Chat, Event, ForeignCustomer, Participant
from chats.sockets.gather import Gather
from chats.sockets.threads import in_fast_thread
from contactcenter.prepared import PreparedValues, found_together

from .callers import LONGEST, Credentials, prove, registrations_of
from .messages import Messages, messages_of
from .reach import customer_in, of_application
from .shapes import message_shapes, parts_of

MOST_KEPT = 16_384  # bytes of one chat's messages
WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """An application that shows its secret, and a chat of it."""

    app_id: str
    secret: str
    chat_id: UUID


@dataclass(frozen=True, slots=True)
class OwnChat:
    """The chat's customer with its part; `is_known`: a client of the application knows this customer. `position` and `erased_at` tell when messages change."""

    chat_id: UUID
    customer_id: UUID
    part_id: UUID
    is_known: bool
    position: int
    erased_at: datetime | None
    allowed_origins: list[str]


async def poll(call: Call, chat_id: str) -> Said | None:
    """GET …/messages"""
    asked = _asked(call, chat_id)
    found = await _polls.get(asked) if asked else None
    if found is None:
        return None
    own, content = found
    return Said(content, origin=_reader(call, own))


async def post(call: Call, chat_id: str) -> Said | None:
    """POST …/messages {sender, message}, with chatId and clientId or without."""
    asked, sent = _asked(call, chat_id), call.members()
    if asked is None or sent is None or not sent.keys() <= {"sender", "message", "chatId", "clientId"}:
        return None
    if not all(value and isinstance(value, str) for value in sent.values()) or "message" not in sent:
        return None
    client_id = sent.get("clientId") or uuid4().hex
    if not WORD.fullmatch(client_id) or sent.get("chatId", chat_id) != chat_id:
        return None
    own = await _speakers.get(asked)
    if own is None or not own.is_known or sent.get("sender") != str(own.customer_id):
        return None
    posted = await fast_path.stored(call, Post(asked.chat_id, own.part_id, client_id, sent["message"]))
    if posted is None:
        return None
    sender = Participant(pk=own.part_id, kind=Participant.Kind.CUSTOMER)
    event = Event(chat_id=asked.chat_id, index=posted.index, sender=sender, text=sent["message"], at=posted.at, data={})
    chat = Chat(pk=asked.chat_id, customer_id=own.customer_id)
    said = {"message": message_shapes(event, chat)[0]}
    return Said(fast_path.rendered(Messages, said), origin=_reader(call, own))


def _asked(call: Call, chat_id: str) -> Asked | None:
    app_id, secret = call.header(b"x-hyper-appid"), call.header(b"x-hyper-secret")
    is_plain = app_id and secret and (app_id + secret).isascii() and not call.scope["query_string"]
    return Asked(app_id, secret, UUID(chat_id)) if is_plain and len(secret) <= LONGEST >= len(app_id) else None


def _reader(call: Call, own: OwnChat) -> str:
    return call.origin if call.origin in own.allowed_origins else ""


# In the thread ------------------------------------------------------------------------------------------------------------


def _found(wanted: list[Asked]) -> Iterator[tuple[Asked, OwnChat, Any]]:
    """Whose secret is right and whose chat it is, with how far everybody has read."""
    applications, now = registrations_of({asked.app_id for asked in wanted}), timezone.now()
    proven = [
        (asked, registration)
        for asked in wanted
        if (registration := applications.get(asked.app_id))
        and prove(registration, Credentials(secret=asked.secret), now)
    ]
    customers, reads = found_together(
        (_CUSTOMER, [(asked.chat_id, registration.pk) for asked, registration in proven]),
        (_READS, [(asked.chat_id,) for asked, _ in proven]),
    )
    for (asked, registration), customer, read in zip(proven, customers, reads, strict=True):
        for facts in _CUSTOMER.made(customer):
            yield asked, OwnChat(*(*facts, registration.application.allowed_origins)), read


def _load_owns(wanted: list[Asked]) -> dict[Asked, OwnChat]:
    return {asked: own for asked, own, _ in _found(wanted)}


def _load_polls(wanted: list[Asked]) -> dict[Asked, tuple[OwnChat, bytes]]:
    return {asked: (own, _contents.of(asked.chat_id, (own, read))) for asked, own, read in _found(wanted)}


def _show(found: Any) -> bytes:
    own, _reads = found
    chat = Chat(pk=own.chat_id, customer_id=own.customer_id)
    return fast_path.rendered(Messages, {"messages": messages_of(chat)})


def _customer(chat: Any, registration: Any) -> "QuerySet[Participant]":
    known = ForeignCustomer.objects.filter(registration=registration, customer=OuterRef("chat__customer"))
    return customer_in(of_application(registration), chat).annotate(is_known=Exists(known))


_CUSTOMER = PreparedValues(
    _customer, "chat_id", "chat__customer_id", "pk", "is_known", "chat__position", "chat__customer__erased_at"
)
_READS = PreparedValues(parts_of, "agent_id", "read_index")  # told with each message
_contents: fast_path.Memory[UUID, bytes] = fast_path.Memory(
    _show, most=2_000, is_kept=lambda content: len(content) <= MOST_KEPT
)
_polls: Gather[Asked, tuple[OwnChat, bytes]] = Gather(_load_polls, rest=fast_path.REST, run=in_fast_thread)
_speakers: Gather[Asked, OwnChat] = Gather(_load_owns, rest=fast_path.REST, run=in_fast_thread)

ROUTES = (
    fast_path.Route("GET", f"/v1/chats/({fast_path.ID})/messages/?", Messages, poll),
    fast_path.Route("POST", f"/v1/chats/({fast_path.ID})/messages/?", Messages, post),
)
