"""Reads that many sockets want at the same moment become one: one hop to a thread, one query for all."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from chats.live.listen import events_frame
from chats.models import Chat, Event, Invitation
from chats.routing.estimates import queue_places
from chats.shapes import event_for_customer, event_for_staff
from contactcenter.prepared import Prepared, PreparedValues, among

from .board import Board, Concerns, load_boards, load_concerns, load_occupations
from .rows import load_chats
from .threads import in_shared_thread

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

PAGE = 200  # events in one frame


class Gather(Generic[Key, Value]):
    """`await gather.get(key)`: the value as the database has it now; None when there is none.

    One round of reading at a time: what is asked for meanwhile is read by the next. `run`: in which thread. `rest`: seconds between the beginnings of two, so that
    a busy process reads for many at once; who asks first after a quiet moment is answered at once.
    """

    def __init__(
        self,
        load: Callable[[list[Key]], dict[Key, Value]],
        *,
        rest: float = 0.0,
        run: Callable[..., Awaitable[dict[Key, Value]]] = in_shared_thread,
    ) -> None:
        self.load = load
        self.rest = rest
        self.run = run
        self._wanted: dict[Key, asyncio.Future[Value | None]] = {}
        self._rounds: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value | None:
        loop = asyncio.get_running_loop()
        if self._rounds is None or self._rounds.done() or self._rounds.get_loop() is not loop:
            self._wanted = {}  # of a loop that has ended
            self._rounds = loop.create_task(self._run())
        future = self._wanted.setdefault(key, loop.create_future())
        # One who leaves must not take the answer away from the others.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while self._wanted:
            begun = loop.time()
            # Who asks from now on wants to know what is committed from now on: the next round.
            wanted, self._wanted = self._wanted, {}
            await self._answer(wanted)
            if self.rest:
                await asyncio.sleep(begun + self.rest - loop.time())

    async def _answer(self, wanted: "dict[Key, asyncio.Future[Value | None]]") -> None:
        try:
            found = await self.run(self.load, list(wanted))
        except Exception as error:  # noqa: BLE001 - whoever asked decides
            for future in wanted.values():
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # seen, even if everybody who asked has left
            return
        for key, future in wanted.items():
            if not future.done():
                future.set_result(found.get(key))


@dataclass(frozen=True)
class Side:
    """Whose view of a log: its topic, what numbers it, how an event looks."""

    topic: str
    number: str
    shape: Callable[[Event], dict[str, Any]]


STAFF = Side("staff", "position", event_for_staff)
CUSTOMER = Side("customer", "index", event_for_customer)


@dataclass(frozen=True)
class Page:
    """The next events after a cursor as a ready frame."""

    frame: str
    last: int
    types: frozenset[str]
    is_full: bool


def load_pages(wanted: list[tuple[Side, UUID, int]]) -> dict[tuple[Side, UUID, int], Page]:
    return {key: page for key in wanted if (page := _load_page(*key)) is not None}


def _load_page(side: Side, chat_id: UUID, after: int) -> Page | None:
    events = _LATER[side.number].rows(chat_id, after)
    if not events:
        return None
    last = getattr(events[-1], side.number)
    frame = events_frame(chat_id, map(side.shape, events), last)
    return Page(frame, last, frozenset(event.type for event in events), len(events) == PAGE)


_LATER = {
    "position": Prepared(
        lambda chat, after: Event.objects.filter(chat=chat, position__gt=after).order_by("position")[:PAGE]
    ),
    "index": Prepared(lambda chat, after: Event.objects.filter(chat=chat, index__gt=after).order_by("index")[:PAGE]),
}


def load_invitations(ids: list[UUID]) -> dict[UUID, Invitation]:
    """With their chats as `load_chats` gives them."""
    found = {invitation.pk: invitation for invitation in _INVITATIONS.rows(ids)}
    chats = load_chats([invitation.chat_id for invitation in found.values()])
    for invitation in found.values():
        invitation.chat = chats[invitation.chat_id]
    return found


_INVITATIONS = Prepared(lambda ids: Invitation.objects.filter(pk__in=among(ids)))


def load_endings(ids: list[UUID]) -> dict[UUID, str]:
    """The states of invitations."""
    return dict(_STATES.tuples(ids))  # type: ignore[arg-type]


_STATES = PreparedValues(lambda ids: Invitation.objects.filter(pk__in=among(ids)).values_list("pk", "state"))


def load_places(team_ids: list[UUID]) -> dict[UUID, dict[UUID, tuple[int, int | None]]]:
    return {team: {chat: (place, wait) for chat, place, wait in queue_places(team)} for team in team_ids}


# Short enough for whom nobody would call slow, long enough that what one chat's start causes on many desks is read together.
REST = 0.05

pages: Gather[tuple[Side, UUID, int], Page] = Gather(load_pages)
chats: Gather[UUID, Chat] = Gather(load_chats, rest=REST)
invitations: Gather[UUID, Invitation] = Gather(load_invitations, rest=REST)
endings: Gather[UUID, str] = Gather(load_endings, rest=REST)
places: Gather[UUID, dict[UUID, tuple[int, int | None]]] = Gather(load_places)
boards: Gather[UUID, Board] = Gather(load_boards)
occupations: Gather[UUID, dict[UUID, UUID | None]] = Gather(load_occupations, rest=REST)
concerns: Gather[UUID, Concerns] = Gather(load_concerns, rest=REST)
