"""What customers' pages ask all the time, as plain calls (chats.doors.fast_path): GetMessages while there are none, and SendMessage."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from chats.actions.post import Post
from chats.doors import fast_path
from chats.doors.fast_path import Call, Said
from chats.models import Chat
from chats.sockets.gather import Gather
from chats.sockets.threads import in_fast_thread
from contactcenter.prepared import PreparedValues, found_together

from .callers import named
from .cursors import asked_index, has_lines
from .customer import REQUESTS_BY_CHAT, Messages, OneChat, asked_seconds
from .door import OK, by_names


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat, by the id that its customer knows, and what the headers name."""

    chat_id: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OwnChat:
    """A customer's chat. `head` and `cursor` of its lines."""

    chat_id: UUID
    part_id: UUID
    state: str
    lease_until: datetime | None
    head: int
    cursor: int
    allowed_origins: list[str]

    @property
    def is_open(self) -> bool:
        return self.state != Chat.State.CLOSED


async def poll(call: Call, chat_id: str) -> Said | None:
    """GET …/messages?index=…&wait=…"""
    query = call.query()
    if query is None or not query.keys() <= {"index", "wait"}:
        return None
    own = await _own(call, chat_id)
    if own is None or has_lines(own.head, own.cursor, asked_index(query.get("index"))):
        return None
    seconds = asked_seconds(query.get("wait")) if own.is_open else 0
    return Said(NO_LINES, origin=call.origin, wait=([f"customer:{own.chat_id}"], seconds) if seconds else None)


async def post(call: Call, chat_id: str) -> Said | None:
    """POST {operationName: SendMessage, text}."""
    sent = call.members(any_type=True)
    if sent is None or sent.keys() != {"operationName", "text"} or sent["operationName"] != "SendMessage":
        return None
    text = sent["text"]
    own = await _own(call, chat_id) if text and isinstance(text, str) else None
    if own is None or not own.is_open:
        return None
    posted = await fast_path.stored(call, Post(own.chat_id, own.part_id, str(uuid4()), text))
    return Said(DONE, origin=call.origin) if posted else None


NO_LINES = fast_path.rendered(Messages, {"messages": [], **OK})
DONE = fast_path.rendered(OneChat, OK)


async def _own(call: Call, chat_id: str) -> OwnChat | None:
    """The chat, if its customer asks for it, who is there by that."""
    if b"authorization" in call.headers:
        return None
    names = named(call.header(b"contactcenterid"), call.header(b"apikey"))
    own = await _owns.get(Asked(chat_id, tuple(names.items())))
    if own is None or not call.comes_from(own.allowed_origins):
        return None
    if call.is_repeat:
        return own
    if not await fast_path.is_below(REQUESTS_BY_CHAT, str(own.chat_id)):
        return None
    if own.is_open:
        await fast_path.give_sign_of_life(own.part_id, own.lease_until)
    return own


def _load(wanted: list[Asked]) -> dict[Asked, OwnChat]:
    return {asked: OwnChat(*found) for asked, found in _found(wanted)}


def _found(wanted: list[Asked]) -> Iterator[tuple[Asked, Any]]:
    for named_by in {tuple(name for name, _value in asked.names) for asked in wanted}:
        alike = [asked for asked in wanted if tuple(name for name, _value in asked.names) == named_by]
        keys = [(asked.chat_id, *(value for _name, value in asked.names)) for asked in alike]
        query = _OWN[named_by]
        for asked, rows in zip(alike, found_together((query, keys))[0], strict=True):
            for facts in query.made(rows):
                yield asked, facts


_FACTS = (
    *("chat_id", "pk", "chat__state", "lease_until", "chat__foreign__head", "chat__foreign__cursor"),
    "chat__foreign__registration__application__allowed_origins",
)
_OWN: dict[tuple[str, ...], PreparedValues] = by_names(lambda customers: PreparedValues(customers, *_FACTS))
_owns: Gather[Asked, OwnChat] = Gather(_load, rest=fast_path.REST, run=in_fast_thread)

ROUTES = (
    fast_path.Route("GET", f"/api/v2/chats/({fast_path.ID})/messages/?", Messages, poll),
    fast_path.Route("POST", f"/api/v2/chats/({fast_path.ID})/?", OneChat, post),
)
