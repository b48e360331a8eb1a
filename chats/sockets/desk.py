"""What one agent's socket shows, kept true: chats held, offered and visited, watched logs, own seat, colleagues, queues.

`reconcile` compares what the database says with what the client was told, and tells the difference. Hints and the pulse call it, so a lost
hint loses nothing.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.utils import timezone

from chats.models import Chat, Invitation
from chats.shapes import chat_for_staff, invitation_shape

from . import gather
from .board import Board, Queue
from .reader import Reader

if TYPE_CHECKING:
    from .agent import AgentSocket

log = structlog.get_logger(__name__)

QUIET = frozenset({"message.posted", "note.posted", "customer.reminded", "routing.decided"})
MOST_ENDED = 50  # closed chats that stay watched until the client puts them away
FIRST_POSITIONS = 100  # what a client without a cursor gets of a chat


class Desk:
    """One socket's view. Everything runs in the event loop."""

    def __init__(self, socket: "AgentSocket") -> None:
        self.socket = socket
        self.held: set[UUID] = set()
        self.offered: dict[UUID, UUID] = {}  # invitation → chat
        self.guests: dict[UUID, str] = {}  # colleagues' chats → invited or joined
        self.watched: set[UUID] = set()
        self.ended: dict[UUID, None] = {}  # closed ones in the order of their end
        self.readers: dict[UUID, Reader] = {}
        self.cursors: dict[UUID, int] = {}  # as hello named them
        self.seat: dict[str, Any] = {}
        self._colleagues = ""
        self._queues: list[Queue] = []
        self.accepting: set[UUID] = set()  # chats that a frame of this socket is just taking
        self._looking: asyncio.Task[None] | None = None
        self._is_looking = False
        self._look_again = False
        self._telling: dict[UUID, asyncio.Task[None]] = {}
        self._tell_again: set[UUID] = set()
        self.behind: set[UUID] = set()  # have changed and could not be read

    def close(self) -> None:
        for reader in self.readers.values():
            reader.stop()
        for task in self._telling.values():
            task.cancel()
        if self._looking:
            self._looking.cancel()

    # Chats held and offered -------------------------------------------------------------------------------------------

    async def reconcile(self) -> None:
        """Tell what has changed; who calls while it runs makes it look once more."""
        if self._is_looking:
            self._look_again = True
            return
        self._is_looking = True
        try:
            self._look_again = True
            while self._look_again:
                self._look_again = False
                await self._look()
        finally:
            self._is_looking = False

    def look_soon(self) -> None:
        """Reconcile, once for all hints of one moment."""
        if self._looking and not self._looking.done():
            self._look_again = True
        else:
            self._looking = asyncio.get_running_loop().create_task(self._look_quietly())

    async def _look_quietly(self) -> None:
        with contextlib.suppress(Exception):  # the pulse comes again, and tells of it
            await self.socket.reconcile()

    async def _look(self) -> None:
        # What is accepted while we read has not ended by that, nor is it offered anew.
        held_before, offered_before = set(self.held), set(self.offered)
        concerns = await gather.concerns.get(self.socket.agent.pk)
        sits, guests = (concerns.occupied, concerns.guests) if concerns else ({}, {})
        held = {chat for chat, invitation in sits.items() if invitation is None}
        offered = {invitation: chat for chat, invitation in sits.items() if invitation is not None}
        for invitation in offered.keys() - offered_before:
            await self._offer(invitation, offered[invitation])
        for invitation in (offered_before - offered.keys()) & self.offered.keys():
            await self._end_offer(invitation)
        for chat in held - self.held - self.accepting:
            await self._take(chat)
        for chat in held_before - held:
            await self._lose(chat)
        for chat, state in guests.items():
            if self.guests.get(chat) != state:
                await self._ask_in(chat, state)
        for chat in self.guests.keys() - guests.keys():
            await self._see_out(chat)
        self.tell_seat(used=len(sits))
        behind, self.behind = self.behind, set()
        for chat in behind:
            self.look_at(chat)

    async def _offer(self, invitation_id: UUID, chat_id: UUID) -> None:
        invitation = await gather.invitations.get(invitation_id)
        self.offered[invitation_id] = chat_id
        if invitation and invitation.state == Invitation.State.PENDING:
            shown = invitation_shape(invitation, now=timezone.now())
            self.socket.push_dict(type="invitation", invitation=shown)

    async def _end_offer(self, invitation_id: UUID) -> None:
        state = await gather.endings.get(invitation_id)
        # Forgotten only now: a look that fails (the database is away) is made again.
        self._tell_ended(invitation_id, str(state) if state else "withdrawn")

    def _tell_ended(self, invitation_id: UUID, reason: str) -> None:
        if chat_id := self.offered.pop(invitation_id, None):
            self.socket.push_dict(type="invitation_ended", id=str(invitation_id), chat=str(chat_id), reason=reason)

    async def _take(self, chat_id: UUID) -> None:
        chat = await gather.chats.get(chat_id)
        self.held.add(chat_id)
        self.ended.pop(chat_id, None)
        if chat:
            self.show_chat(chat)

    def take(self, chat: Chat, invitation_id: UUID) -> None:
        """We have just accepted it."""
        self._tell_ended(invitation_id, Invitation.State.ACCEPTED.value)
        if chat.agent_id == self.socket.agent.pk and chat.state == Chat.State.ACTIVE and chat.pk not in self.held:
            self.held.add(chat.pk)
            self.ended.pop(chat.pk, None)
            self.show_chat(chat)

    def show_chat(self, chat: Chat) -> None:
        """Tell it, then its log."""
        self.take_seat(chat)
        self.follow(chat)
        self.tell(chat)

    def take_seat(self, chat: Chat) -> None:
        """Who we are in a chat of ours, from what was read to show it: then nobody asks when the first message is posted."""
        for one in chat.participants.all():
            if one.agent_id == self.socket.agent.pk:
                self.socket.seats[chat.pk] = one.pk

    async def _lose(self, chat_id: UUID) -> None:
        chat = await gather.chats.get(chat_id)
        self.held.discard(chat_id)
        self._tell_gone(chat_id, chat, reason="transferred" if chat and chat.agent_id is None else "taken")

    async def _ask_in(self, chat_id: UUID, state: str) -> None:
        chat = await gather.chats.get(chat_id)
        self.guests[chat_id] = state
        if chat:
            self.show_chat(chat)

    async def _see_out(self, chat_id: UUID) -> None:
        chat = await gather.chats.get(chat_id)
        state = self.guests.pop(chat_id)
        # Who has become its owner was told so when it was taken.
        if chat_id not in self.held:
            self._tell_gone(chat_id, chat, reason="left" if state == "joined" else "declined")

    def _tell_gone(self, chat_id: UUID, chat: Chat | None, *, reason: str) -> None:
        self.socket.seats.pop(chat_id, None)
        if chat and not chat.is_open:
            reason = "closed"
        self.socket.push_dict(type="chat_gone", chat=str(chat_id), reason=reason)
        if reason == "closed":
            self.ended[chat_id] = None
            for oldest in list(self.ended)[:-MOST_ENDED]:
                del self.ended[oldest]
                self.unfollow(oldest)
        else:
            self.unfollow(chat_id)

    # Logs -------------------------------------------------------------------------------------------------------------

    def follow(self, chat: Chat, after: int | None = None) -> None:
        """Read the chat's log from the cursor that the client has named, else the last hundred lines of it."""
        known = self.readers.get(chat.pk)
        if known and (after is None or after == known.cursor):
            return
        if known:
            known.stop()
        if after is None:
            after = self.cursors.pop(chat.pk, max(0, chat.position - FIRST_POSITIONS))
        reader = self.readers[chat.pk] = Reader(self.socket, gather.STAFF, chat.pk, min(after, chat.position))
        reader.start()

    def unfollow(self, chat_id: UUID) -> None:
        if not any(chat_id in kept for kept in (self.held, self.guests, self.watched, self.ended)):
            reader = self.readers.pop(chat_id, None)
            if reader:
                reader.stop()

    def tell(self, chat: Chat) -> None:
        shown = chat_for_staff(chat, viewer_id=self.socket.agent.pk, now=timezone.now())
        self.note_told(chat.pk, shown)
        self.socket.push_dict(type="chat", chat=shown)

    def note_told(self, chat_id: UUID, shown: dict[str, Any]) -> None:
        """The client has this of a followed chat, by whichever frame."""
        if reader := self.readers.get(chat_id):
            reader.delivery, reader.told = shown["delivery"], shown["head"]

    def passed(self, reader: Reader, types: frozenset[str]) -> None:
        """Events went out: the chat itself may have changed with them."""
        if types <= QUIET or (reader.told >= reader.cursor and "delivery" not in types):
            return
        self.look_at(reader.chat_id)

    def look_at(self, chat_id: UUID) -> None:
        """Read a followed chat anew, and tell it."""
        if chat_id in self._telling:
            self._tell_again.add(chat_id)
        else:
            task = asyncio.get_running_loop().create_task(self._tell_changed(chat_id))
            self._telling[chat_id] = task

    async def _tell_changed(self, chat_id: UUID) -> None:
        try:
            while (reader := self.readers.get(chat_id)) is not None:
                self._tell_again.discard(chat_id)
                chat = await gather.chats.get(chat_id)
                if chat is None:
                    return
                if self.readers.get(chat_id) is not reader:
                    continue  # followed anew meanwhile, from another place
                if not self.socket.may_see(chat) and chat_id not in self.ended:
                    await self._stop_watching(chat_id)
                    return
                # A chat that was read before the last event would undo it in the client.
                if chat.position >= reader.cursor and chat_id not in self._tell_again:
                    self.tell(chat)
                    return
        except Exception as error:  # noqa: BLE001 - the database is away, say: the next look comes back to it
            self.behind.add(chat_id)
            log.warning("chat not read", chat=str(chat_id), error=type(error).__name__)
        finally:
            del self._telling[chat_id]

    async def _stop_watching(self, chat_id: UUID) -> None:
        """It has gone out of sight: to another team, or the agent has left its team."""
        was_watched = chat_id in self.watched
        self.watched.discard(chat_id)
        await self.reconcile()
        is_ours = chat_id in self.held or chat_id in self.guests
        if was_watched and not is_ours and chat_id in self.readers:
            self.socket.push_dict(type="chat_gone", chat=str(chat_id), reason="transferred")
        self.unfollow(chat_id)

    # Seat, colleagues, queues -----------------------------------------------------------------------------------------

    def tell_seat(self, **changed: Any) -> None:
        seat = self.seat | changed
        if seat != self.seat:
            self.seat = seat
            self.socket.push_dict(type="agent", agent=seat)

    def show(self, board: Board) -> None:
        """Colleagues and queues where they differ from what was sent."""
        own = board.agents.get(self.socket.agent.pk)
        # A board that was read before the agent chose a status does not undo it.
        if own and (own["status_at"] or "") >= (self.seat.get("status_at") or ""):
            # The slots are counted by reconcile, which is never behind the board.
            if own["teams"] != self.seat.get("teams"):
                self.behind |= self.watched  # some may be another team's now
            self.tell_seat(**{name: value for name, value in own.items() if name != "used"})
        if board.colleagues != self._colleagues:
            self._colleagues = board.colleagues
            self.socket.push(f'{{"type":"colleagues","agents":{board.colleagues}}}')
        queues = board.queue_of(self.team_ids(board))
        if queues != self._queues:
            self._queues = queues
            self.socket.push(f'{{"type":"queue","teams":[{",".join(queue.json for queue in queues)}]}}')

    def begin(self, board: Board) -> dict[str, Any]:
        """For the welcome: the same, as it is sent there."""
        self._colleagues = board.colleagues
        self._queues = board.queue_of(self.team_ids(board))
        self.seat = board.agents[self.socket.agent.pk]
        return {
            "agent": self.seat,
            "colleagues": list(board.agents.values()),
            "queue": [queue.shape for queue in self._queues],
        }

    def team_ids(self, board: Board) -> set[UUID]:
        own = board.agents.get(self.socket.agent.pk, {}).get("teams", [])
        return set(board.teams) if self.socket.agent.is_supervisor else {UUID(team) for team in own}
