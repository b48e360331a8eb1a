"""What each process does for all of its sockets at once, every two seconds at the latest: heads of logs, leases, revoked sessions,
places in queues, boards of centers. So a lost announcement loses nothing, and no socket asks alone.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import structlog
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents import presence
from chats.actions.read import renew_leases
from chats.actions.start import CUSTOMER_LEASE
from chats.delivery_shapes import deliveries_of
from chats.live import Payload, hub
from chats.models import Chat, CustomerSession, Participant
from contactcenter.outage import is_outage

from . import gather
from .base import RESTART, Socket, unauthorized
from .threads import in_shared_thread

if TYPE_CHECKING:
    from .agent import AgentSocket
    from .customer import CustomerSocket
    from .reader import Reader

log = structlog.get_logger(__name__)

TICK = 1.5  # seconds; with the reading itself less than two
LEAST = 1.0  # seconds between two looks at queues and colleagues
LEASE_EVERY = 10.0
ALIVE = 25.0  # who was heard within this time is there: the question comes every 20 s


Step = Callable[[], Awaitable[None]]


class Guest(Protocol):
    """A connection of a foreign protocol. What that protocol looks at for all of its own it adds to `beats` and `surveys`."""

    def readers(self) -> "list[Reader]": ...
    def leased_agent(self) -> UUID | None:
        """Whose lease it keeps."""

    def end(self, close_code: int, code: str = "", message: Any = "") -> None: ...


class Pulse:
    """Two loops: one for what must be seen within two seconds, one for what many look at, at most once a second."""

    def __init__(self) -> None:
        self.guests: set[Guest] = set()
        self.beats: list[Step] = []
        self.surveys: list[Step] = []
        self.poked = asyncio.Event()
        self.centers: Counter[UUID] = Counter()  # whose changes are heard, and for how many desks
        self.tasks: list[asyncio.Task[None]] = []
        self.leased_at = 0.0

    def start(self) -> None:
        self.poked = asyncio.Event()
        self.leased_at = 0.0
        self.tasks = [asyncio.ensure_future(self._beat()), asyncio.ensure_future(self._survey())]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def poke(self) -> None:
        """Queues or colleagues have changed: look soon."""
        self.poked.set()

    def attend(self, center_id: UUID) -> None:
        """Hear what changes in a center: one listener, however many desks it has. `leave` as often."""
        self.centers[center_id] += 1
        hub.subscribe(f"center:{center_id}", self._hear)

    def leave(self, center_id: UUID) -> None:
        self.centers[center_id] -= 1
        if not self.centers[center_id]:
            del self.centers[center_id]
            hub.unsubscribe(f"center:{center_id}", self._hear)

    def _hear(self, _topic: str, _payload: Payload) -> None:
        self.poke()

    async def _beat(self) -> None:
        steps = (
            self._check_clients,
            self._renew_leases,
            self._check_heads,
            self._check_sessions,
            self._check_sign_ins,
            self._check_desks,
        )
        while True:
            await asyncio.sleep(TICK)
            for step in (*steps, *self.beats):
                await _guarded(step)

    async def _survey(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK - LEAST):
                    await self.poked.wait()
            self.poked.clear()
            await _guarded(self._show_boards)
            await _guarded(self._show_places)
            for step in self.surveys:
                await _guarded(step)
            await asyncio.sleep(LEAST)

    # Every socket -----------------------------------------------------------------------------------------------------

    async def _check_clients(self) -> None:
        now = asyncio.get_running_loop().time()
        for socket in list(Socket.everyone):
            socket.check_client(now)

    async def _check_heads(self) -> None:
        watched: dict[UUID, list[tuple[Any, Reader, int]]] = defaultdict(list)
        for socket in (*_welcome("customer"), *_welcome("agent"), *self.guests):
            for reader in socket.readers():
                # The cursor before the question: what is announced while it is asked must not look like a lost log.
                watched[reader.chat_id].append((socket, reader, reader.cursor))
        if not watched:
            return
        now = timezone.now()
        for chat_id, found in (await in_shared_thread(read_heads, list(watched), now)).items():
            for socket, reader, cursor in watched[chat_id]:
                head = found.heads[reader.side.number]
                if head < cursor:
                    socket.end(RESTART, "failed", _("The log has changed. Connect again."))
                else:
                    reader.check_head(head)
                    _tell_state(socket, reader, found)

    async def _renew_leases(self) -> None:
        clock = asyncio.get_running_loop().time()
        if clock - self.leased_at < LEASE_EVERY:
            return
        self.leased_at = clock
        alive = [socket for socket in Socket.everyone if socket.is_welcome and clock - socket.heard_at < ALIVE]
        agents = {socket.agent.pk for socket in alive if socket.kind == "agent"}  # type: ignore[attr-defined]
        agents.update(agent_id for guest in self.guests if (agent_id := guest.leased_agent()))
        mine = {socket.participant for socket in alive if socket.kind == "customer"}  # type: ignore[attr-defined]
        now = timezone.now()
        if agents:
            await in_shared_thread(presence.renew_leases, agents, now + presence.AGENT_LEASE)
        # Who has no lease (SMS, say) is never asked for signs of life, and gets none.
        leased = [one.pk for one in mine if one and one.lease_until]
        if leased:
            await in_shared_thread(renew_leases, leased, until=now + CUSTOMER_LEASE)

    # Customers --------------------------------------------------------------------------------------------------------

    async def _check_sessions(self) -> None:
        sockets: list[CustomerSocket] = _welcome("customer")
        if not sockets:
            return
        customers, open_chats = await in_shared_thread(
            read_sessions,
            {socket.session_id for socket in sockets},
            {socket.customer_id for socket in sockets if not socket.chat or socket.chat.state == "closed"},
            timezone.now(),
        )
        for socket in sockets:
            customer_id = customers.get(socket.session_id)
            if customer_id is None:
                socket.end(*_revoked())
                continue
            socket.customer_id = customer_id  # another one after a merge
            if socket.is_behind:
                socket.tell_again()
            chat_id = open_chats.get(customer_id)
            if chat_id and (not socket.chat or socket.chat.state == "closed"):
                await socket.adopt(chat_id)

    async def _show_places(self) -> None:
        waiting: dict[UUID, list[CustomerSocket]] = defaultdict(list)
        for socket in _welcome("customer"):
            if socket.team_topic:
                waiting[socket.chat.team_id].append(socket)
        for team_id, sockets in waiting.items():
            places = await gather.places.get(team_id) or {}
            for socket in sockets:
                socket.tell_place(places.get(socket.chat.id) if socket.chat else None)

    # Agents -----------------------------------------------------------------------------------------------------------

    async def _check_sign_ins(self) -> None:
        """Who signs out in one window is out in all windows of that browser."""
        sockets: list[AgentSocket] = [socket for socket in _welcome("agent") if socket.session_key]
        if not sockets:
            return
        living = await in_shared_thread(
            presence.living_sessions, {socket.session_key for socket in sockets}, timezone.now()
        )
        for socket in sockets:
            if socket.session_key not in living:
                socket.end(*_revoked())

    async def _check_desks(self) -> None:
        sockets: list[AgentSocket] = _welcome("agent")
        if sockets:
            await asyncio.gather(*(socket.reconcile() for socket in sockets))

    async def _show_boards(self) -> None:
        by_center: dict[UUID, list[AgentSocket]] = defaultdict(list)
        for socket in _welcome("agent"):
            by_center[socket.agent.center_id].append(socket)
        for center_id, sockets in by_center.items():
            board = await gather.boards.get(center_id)
            for socket in sockets:
                if board is None or not board.admits(socket.agent.pk, socket.session_version):
                    socket.end(*_revoked())
                else:
                    socket.show_board(board)


def _welcome(kind: str) -> list[Any]:
    return [socket for socket in Socket.everyone if socket.kind == kind and socket.is_welcome]


async def _guarded(step: Step) -> None:
    """The outermost door of the loops: the database may be away now and back at the next beat."""
    try:
        await step()
    except Exception as error:
        if is_outage(error):
            log.warning("database away", step=step.__name__, error=type(error).__name__)
        else:
            log.exception("pulse failed", step=step.__name__)


def _revoked() -> tuple[int, str, Any]:
    ended = unauthorized()
    return ended.close_code, ended.code, ended.message


class Found:
    """Of one chat: the heads of its log, its participants' cursors, whether the customer is there, how it travels."""

    def __init__(self, position: int, index: int) -> None:
        self.heads = {"position": position, "index": index}
        self.cursors: dict[tuple[str, str], int] = {}
        self.is_online = False
        self.delivery: dict[str, Any] | None = None


def read_heads(chat_ids: list[UUID], now: datetime) -> dict[UUID, Found]:
    """Two queries for all chats that the process's sockets watch, and those of `deliveries_of`."""
    rows = list(Chat.objects.filter(pk__in=chat_ids).values_list("pk", "position", "index", "is_foreign", "is_carried"))
    found = {chat_id: Found(position, index) for chat_id, position, index, *_ in rows}
    travels = ((row[0], row[3], row[4]) for row in rows)
    for chat_id, delivery in deliveries_of(travels, now).items():
        found[chat_id].delivery = delivery
    people = Participant.objects.filter(chat_id__in=chat_ids)
    for chat_id, kind, read, delivered, lease in people.values_list(
        "chat_id", "kind", "read_index", "delivered_index", "lease_until"
    ):
        if chat_id not in found:
            continue
        is_customer = kind == Participant.Kind.CUSTOMER
        side = "customer" if is_customer else "agent"
        chat = found[chat_id]
        chat.cursors["read", side] = max(read, chat.cursors.get(("read", side), 0))
        chat.cursors["delivered", side] = max(delivered, chat.cursors.get(("delivered", side), 0))
        if is_customer:
            chat.is_online = lease is not None and lease > now
    return found


def read_sessions(
    session_ids: set[UUID], customer_ids: set[UUID], now: datetime
) -> tuple[dict[UUID, UUID], dict[UUID, UUID]]:
    """The customers of the sessions that still hold, and the open chats of those customers."""
    live = CustomerSession.objects.filter(
        pk__in=session_ids, expires_at__gt=now, channel__is_active=True, center__is_active=True
    )
    chats = Chat.objects.open().filter(customer_id__in=customer_ids).values_list("customer_id", "pk")
    return dict(live.values_list("pk", "customer_id")), dict(chats)


def _tell_state(socket: Any, reader: "Reader", found: Found) -> None:
    for (kind, side), index in found.cursors.items():
        reader.tell_cursors(kind, side, index)
    if reader.side is gather.STAFF and found.is_online != reader.is_online:
        if reader.is_online is not None:
            socket.push_dict(type="presence", chat=str(reader.chat_id), online=found.is_online)
        reader.is_online = found.is_online
    if reader.side is gather.STAFF and found.delivery != reader.delivery:
        # What the client was told last: a chat that was read before a change and arrives after it is told anew.
        socket.passed(reader, frozenset(["delivery"]))


pulse = Pulse()
