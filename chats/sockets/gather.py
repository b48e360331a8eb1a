"""Reads that many sockets want at the same moment become one: one hop to a thread, one query for all."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from chats.live.listen import events_frame
from chats.models import Chat, Event, Invitation
from chats.routing.estimates import queue_places
from chats.shapes import event_for_customer, event_for_staff, for_staff, with_chats

from .board import Board, load_boards, load_guests, load_occupations
from .threads import in_shared_thread

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

PAGE = 200  # events in one frame


class Gather(Generic[Key, Value]):
    """`await gather.get(key)`: the value as the database has it now; None when there is none."""

    def __init__(self, load: Callable[[list[Key]], dict[Key, Value]]) -> None:
        self.load = load
        self._wanted: dict[Key, asyncio.Future[Value | None]] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    async def get(self, key: Key) -> Value | None:
        loop = asyncio.get_running_loop()
        if any(future.get_loop() is not loop for future in self._wanted.values()):
            self._wanted = {}  # of a loop that has ended
        if not self._wanted:
            task = loop.create_task(self._run())
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
        future = self._wanted.setdefault(key, loop.create_future())
        # One who leaves must not take the answer away from the others.
        return await asyncio.shield(future)

    async def _run(self) -> None:
        await asyncio.sleep(0)
        # Who asks from now on wants to know what is committed from now on: the next round.
        wanted, self._wanted = self._wanted, {}
        try:
            found = await in_shared_thread(self.load, list(wanted))
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
    later = Event.objects.filter(chat_id=chat_id, **{f"{side.number}__gt": after})
    events = list(later.order_by(side.number)[:PAGE])
    if not events:
        return None
    last = getattr(events[-1], side.number)
    frame = events_frame(chat_id, map(side.shape, events), last)
    return Page(frame, last, frozenset(event.type for event in events), len(events) == PAGE)


def load_chats(ids: list[UUID]) -> dict[UUID, Chat]:
    return {chat.pk: chat for chat in for_staff(Chat.objects.filter(pk__in=ids))}


def load_invitations(ids: list[UUID]) -> dict[UUID, Invitation]:
    return {invitation.pk: invitation for invitation in with_chats(Invitation.objects.filter(pk__in=ids))}


def load_places(team_ids: list[UUID]) -> dict[UUID, dict[UUID, tuple[int, int | None]]]:
    return {team: {chat: (place, wait) for chat, place, wait in queue_places(team)} for team in team_ids}


pages: Gather[tuple[Side, UUID, int], Page] = Gather(load_pages)
chats: Gather[UUID, Chat] = Gather(load_chats)
invitations: Gather[UUID, Invitation] = Gather(load_invitations)
places: Gather[UUID, dict[UUID, tuple[int, int | None]]] = Gather(load_places)
boards: Gather[UUID, Board] = Gather(load_boards)
occupations: Gather[UUID, dict[UUID, UUID | None]] = Gather(load_occupations)
guests: Gather[UUID, dict[UUID, str]] = Gather(load_guests)
