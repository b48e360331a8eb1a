"""The agent's socket (docs/realtime.md, "Agent socket")."""

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents import presence
from agents.models import Agent, Disposition
from chats.actions.close import close_by_agent
from chats.actions.guests import decline_guest, invite_guest, join_as_guest, leave_as_guest
from chats.actions.hold import assign_chat, pick_chat, reopen_chat
from chats.actions.locking import seat_in_chat
from chats.actions.offer import accept_invitation, decline_invitation
from chats.actions.post import Post, Posted
from chats.actions.read import mark_delivered, mark_read
from chats.actions.show import show_typing
from chats.actions.transfer import transfer_to_agent, transfer_to_team
from chats.errors import Forbidden, Invalid, NotFound
from chats.languages import chosen_language
from chats.live import Payload, hub
from chats.models import Chat, Invitation, Participant
from chats.shapes import (
    agent_shape,
    center_shape,
    chat_for_staff,
    for_staff,
    guest_state,
    invitation_shape,
    stamp,
    team_shape,
    with_chats,
    with_load,
)
from contactcenter.models import Installation, Team
from contactcenter.prepared import Prepared

from . import gather
from .agent_frames import FRAMES
from .base import NOT_HERE, Ended, Frame, Socket, unauthorized
from .board import Board, teams_of
from .desk import Desk
from .origins import is_allowed
from .pulse import pulse
from .reader import Reader
from .threads import in_thread

MOST_WATCHED = 200


class AgentSocket(Socket):
    """One client of one seat: a desk, or a bot."""

    kind = "agent"
    FRAMES = FRAMES

    agent: Agent
    session_version = 0
    session_key = ""  # of the browser that it belongs to; programs have none
    desk: Desk | None = None

    def __init__(self, *connection: Any) -> None:
        super().__init__(*connection)
        self.seats: dict[UUID, UUID] = {}  # chat → our participant in it
        self.topic = ""

    # Hello ------------------------------------------------------------------------------------------------------------

    async def on_hello(self, frame: Frame) -> None:
        if self.is_welcome:
            raise Invalid(_("You are welcome already. A ticket opens one socket."))
        if not is_allowed(self.header(b"origin"), self.header(b"host"), is_secure=self.scope.get("scheme") == "wss"):
            raise Ended(NOT_HERE, "forbidden", _("This page may not open the desk's socket."))
        admission = await in_thread(presence.redeem_ticket, frame["ticket"], timezone.now())
        self.agent, self.session_key = admission.agent, admission.session_key
        self.session_version = self.agent.user.session_version
        # The desk's page is in the language that was chosen on it, or the browser's; what its socket says, too.
        chosen = chosen_language(self.header(b"cookie") or "")
        self.speak(chosen, self.browsers_language(), self.agent.center.language)
        await in_thread(presence.sign_in, self.agent, timezone.now())
        self.desk = Desk(self)
        # Heard from now on: what changes while the welcome is made is told after it.
        self.topic = f"agent:{self.agent.pk}"
        hub.subscribe(self.topic, self._hear_own)
        pulse.attend(self.agent.center_id)
        board = await gather.boards.get(self.agent.center_id)
        if board is None or self.agent.pk not in board.agents:
            raise unauthorized()
        await self._welcome(self.desk, board, frame)

    async def _welcome(self, desk: Desk, board: Board, frame: Frame) -> None:
        welcome: dict[str, Any] = {"type": "welcome"} | ({"ref": frame.ref} if frame.ref is not None else {})
        snapshot, chats, invitations = await in_thread(self._snapshot)
        is_other = frame["epoch"] not in ("", snapshot["epoch"])
        heads = {chat.pk: chat.position for chat in chats}
        reset = [chat for chat, at in frame["cursors"].items() if is_other or at > heads.get(chat, at)]
        desk.cursors = {chat: at for chat, at in frame["cursors"].items() if chat not in reset}
        own = desk.begin(board) | {"reset": [str(chat) for chat in reset]}
        desk.held = {chat.pk for chat in chats if chat.agent_id == self.agent.pk}
        desk.guests = {chat.pk: state for chat in chats if (state := guest_state(chat, self.agent.pk))}
        desk.seat = own["agent"] = own["agent"] | {"used": len(desk.held) + len(invitations)}
        self.push_dict(**welcome, **snapshot, **own)
        self.is_welcome = True
        desk.offered = {invitation.pk: invitation.chat_id for invitation in invitations}
        for chat, shown in zip(chats, snapshot["chats"], strict=True):
            desk.take_seat(chat)
            desk.follow(chat)
            desk.note_told(chat.pk, shown)
        desk.cursors = {}
        await self.reconcile()

    def _snapshot(self) -> tuple[dict[str, Any], list[Chat], list[Invitation]]:
        now, me = timezone.now(), self.agent.pk
        held = Q(occupation__agent=me, occupation__invitation=None)
        invited = Q(pk__in=Participant.objects.guests().filter(agent=me).values("chat_id"))
        chats = list(for_staff(Chat.objects.filter(held | invited)).order_by("started_at"))
        invitations = list(with_chats(Invitation.objects.pending().filter(occupation__agent=me)).order_by("offered_at"))
        snapshot = {
            "epoch": str(Installation.current().epoch),
            "now": stamp(now),
            "center": center_shape(self.agent.center),
            "teams": [team_shape(team) for team in teams_of(self.agent)],
            "chats": [chat_for_staff(chat, viewer_id=me, now=now) for chat in chats],
            "invitations": [invitation_shape(invitation, now=now) for invitation in invitations],
        }
        return snapshot, chats, invitations

    # What concerns this desk --------------------------------------------------------------------------------------------

    def _hear_own(self, _topic: str, _payload: Payload) -> None:
        if self.desk:
            self.desk.look_soon()
        pulse.poke()

    async def reconcile(self) -> None:
        if self.is_welcome and self.desk:
            await self.desk.reconcile()

    def show_board(self, board: Board) -> None:
        if self.desk:
            self.desk.show(board)

    def passed(self, reader: Reader, types: frozenset[str]) -> None:
        if self.desk:
            self.desk.passed(reader, types)

    def readers(self) -> list[Reader]:
        return list(self.desk.readers.values()) if self.desk else []

    def visible(self) -> QuerySet[Chat]:
        """Chats of one's teams, those held or offered, and those one is invited to; as a supervisor all of the center. Nothing else exists."""
        chats: QuerySet[Chat] = self.agent.center.chats.all()
        if self.agent.is_supervisor:
            return chats
        # Memberships are asked anew each time: they may end while the socket lives.
        mine = self.agent.memberships.values("team_id")
        invited = Participant.objects.guests().filter(agent=self.agent).values("chat_id")
        own = Q(agent=self.agent) | Q(occupation__agent=self.agent) | Q(pk__in=invited)
        return chats.filter(Q(team_id__in=mine) | own)

    def may_see(self, chat: Chat) -> bool:
        """The same for a chat that was read already, by the teams that the client was told."""
        if self.desk is None:
            return False
        is_ours = chat.agent_id == self.agent.pk or chat.pk in self.desk.guests
        return is_ours or self.agent.is_supervisor or str(chat.team_id) in self.desk.seat.get("teams", [])

    def _see(self, chat_id: UUID) -> Chat:
        chat = for_staff(self.visible().filter(pk=chat_id)).first()
        if chat is None:
            raise NotFound
        return chat

    def _show(self, chat_id: UUID) -> dict[str, Any]:
        chat = for_staff(self.agent.center.chats.filter(pk=chat_id)).get()
        return chat_for_staff(chat, viewer_id=self.agent.pk, now=timezone.now())

    def _me_in(self, chat_id: UUID) -> Participant:
        """Our participant in a chat that we may see; made when it is the first time."""
        return seat_in_chat(self._see(chat_id), self.agent)

    # Frames: the seat -------------------------------------------------------------------------------------------------

    async def on_status(self, frame: Frame) -> dict[str, Any]:
        seat = await in_thread(self._set_status, frame["status"])
        assert self.desk is not None  # noqa: S101 - made by hello
        self.desk.seat = self.desk.seat | seat
        return {"agent": self.desk.seat}

    def _set_status(self, status: str) -> dict[str, Any]:
        now = timezone.now()
        presence.set_status(self.agent, status, now)
        return agent_shape(with_load(Agent.objects.filter(pk=self.agent.pk)).get(), now=now)

    async def on_accept(self, frame: Frame) -> dict[str, Any]:
        assert self.desk is not None  # noqa: S101 - made by hello
        invitation_id, now = frame["invitation"], timezone.now()
        offered = {chat for chat in [self.desk.offered.get(invitation_id)] if chat}
        self.desk.accepting |= offered
        try:
            accepted = await in_thread(accept_invitation, self.agent, invitation_id, now=now)
            chat = await gather.chats.get(accepted.pk)
            assert chat is not None  # noqa: S101 - chats stay
            self.desk.take(chat, invitation_id)
        finally:
            self.desk.accepting -= offered
            self.desk.look_soon()
        return {"chat": chat_for_staff(chat, viewer_id=self.agent.pk, now=now)}

    async def on_decline(self, frame: Frame) -> dict[str, Any]:
        await in_thread(decline_invitation, self.agent, frame["invitation"], now=timezone.now())
        return {}

    async def on_pick(self, frame: Frame) -> dict[str, Any]:
        await in_thread(self._see, frame["chat"])
        return {"chat": await in_thread(self._do, pick_chat, frame["chat"])}

    async def on_reopen(self, frame: Frame) -> dict[str, Any]:
        await in_thread(self._see, frame["chat"])
        return {"chat": await in_thread(self._do, reopen_chat, frame["chat"])}

    def _do(self, action: Any, row_id: UUID) -> dict[str, Any]:
        chat = action(self.agent, row_id, now=timezone.now())
        return self._show(chat.pk)

    # Frames: a chat ---------------------------------------------------------------------------------------------------

    async def on_post(self, frame: Frame) -> None:
        chat_id = frame["chat"]
        sender_id = self.seats.get(chat_id)
        if sender_id is None or frame["note"]:
            # The right to see a chat may have ended since; for messages the action itself asks who holds it.
            sender_id = self.seats[chat_id] = (await in_thread(self._me_in, chat_id)).pk
        post = Post(chat_id, sender_id, frame["client_id"], frame["text"], frame["attachments"], is_note=frame["note"])
        await self.hand_over(post, frame.ref)

    def posted_body(self, posted: Posted) -> dict[str, Any]:
        return super().posted_body(posted) | {"position": posted.position}

    async def on_typing(self, frame: Frame) -> dict[str, Any]:
        participant = await in_thread(self._seat_in, frame["chat"])
        if participant:
            self.say_typing(partial(show_typing, participant, active=frame["active"]))
        return {}

    async def on_read(self, frame: Frame) -> dict[str, Any]:
        participant = await in_thread(self._seat_in, frame["chat"])
        if participant:
            await in_thread(mark_read, participant, frame["index"])
        return {}

    def _seat_in(self, chat_id: UUID) -> Participant | None:
        """Our participant in our chat, or as a guest in a colleague's; None if we only look at it. Raises NotFound."""
        seat = _SEATS.first(chat_id, self.agent.pk)
        if seat and (seat.is_guest or seat.chat.agent_id == self.agent.pk):
            return seat
        self._see(chat_id)
        return None

    async def on_transfer(self, frame: Frame) -> dict[str, Any]:
        if (frame["team"] is None) == (frame["agent"] is None):
            raise Invalid(_("Name a team or an agent."), fields={"team": _("Name a team or an agent.")})
        await in_thread(self._transfer, frame)
        return {}

    def _transfer(self, frame: Frame) -> None:
        chat, center, now = self._see(frame["chat"]), self.agent.center, timezone.now()
        if frame["team"] is not None:
            team: Team | None = center.teams.filter(pk=frame["team"]).first()
            if team is None:
                raise NotFound
            transfer_to_team(self.agent, chat.pk, team, note=frame["note"], now=now)
        else:
            transfer_to_agent(self.agent, chat.pk, self._colleague(frame["agent"]), note=frame["note"], now=now)

    def _colleague(self, agent_id: UUID) -> Agent:
        agent: Agent | None = self.agent.center.agents.active().filter(pk=agent_id).first()
        if agent is None:
            raise NotFound
        return agent

    async def on_invite(self, frame: Frame) -> dict[str, Any]:
        await in_thread(self._invite, frame["chat"], frame["agent"])
        return {}

    def _invite(self, chat_id: UUID, agent_id: UUID) -> None:
        chat = self._see(chat_id)
        invite_guest(self.agent, chat.pk, self._colleague(agent_id), now=timezone.now())

    async def on_join(self, frame: Frame) -> dict[str, Any]:
        await in_thread(self._see, frame["chat"])
        return {"chat": await in_thread(self._do, join_as_guest, frame["chat"])}

    async def on_refuse(self, frame: Frame) -> dict[str, Any]:
        await in_thread(self._see, frame["chat"])
        await in_thread(decline_guest, self.agent, frame["chat"], now=timezone.now())
        return {}

    async def on_leave(self, frame: Frame) -> dict[str, Any]:
        await in_thread(self._see, frame["chat"])
        await in_thread(leave_as_guest, self.agent, frame["chat"], now=timezone.now())
        return {}

    async def on_assign(self, frame: Frame) -> dict[str, Any]:
        if not self.agent.is_supervisor:
            raise Forbidden(_("Only supervisors assign chats."))
        await in_thread(self._assign, frame["chat"], frame["agent"])
        return {}

    def _assign(self, chat_id: UUID, agent_id: UUID) -> None:
        chat = self._see(chat_id)
        assign_chat(self.agent.center.chats, chat.pk, self._colleague(agent_id), now=timezone.now())

    async def on_close(self, frame: Frame) -> dict[str, Any]:
        return {"position": await in_thread(self._close, frame)}

    def _close(self, frame: Frame) -> int:
        chat, disposition = self._see(frame["chat"]), None
        if frame["disposition"] is not None:
            known = Disposition.objects.filter(center=self.agent.center, pk=frame["disposition"])
            disposition = known.first()
            if disposition is None:
                raise NotFound
        said = {"disposition": disposition, "comment": frame["comment"]}
        return close_by_agent(self.agent, chat.pk, **said, now=timezone.now()).position

    async def on_watch(self, frame: Frame) -> None:
        assert self.desk is not None  # noqa: S101 - made by hello
        chat = await in_thread(self._see, frame["chat"])
        if len(self.desk.watched) >= MOST_WATCHED:
            raise Invalid(_("You watch too many chats."))
        self.desk.watched.add(chat.pk)
        self.desk.follow(chat, after=frame["after"])
        if frame.ref is not None:
            shown = chat_for_staff(chat, viewer_id=self.agent.pk, now=timezone.now())
            self.desk.note_told(chat.pk, shown)
            self.push_dict(type="ack", ref=frame.ref, chat=shown)

    async def on_unwatch(self, frame: Frame) -> dict[str, Any]:
        assert self.desk is not None  # noqa: S101 - made by hello
        chat = await in_thread(self._see, frame["chat"])
        self.desk.watched.discard(chat.pk)
        self.desk.ended.pop(chat.pk, None)
        self.desk.unfollow(chat.pk)
        return {"chat": chat_for_staff(chat, viewer_id=self.agent.pk, now=timezone.now())}

    # Signs of life ------------------------------------------------------------------------------------------------------

    async def on_pong(self, frame: Frame) -> dict[str, Any]:
        self.unanswered = 0
        held = self.desk.held if self.desk else set()
        mine = {chat: position for chat, position in frame["cursors"].items() if chat in held}
        if mine:
            await in_thread(self._mark_delivered, mine)
        return {}

    def _mark_delivered(self, cursors: dict[UUID, int]) -> None:
        """The client counts positions; customers are told indexes."""
        for seat in Participant.objects.filter(agent=self.agent, chat_id__in=cursors):
            public = seat.chat.events.public().filter(position__lte=cursors[seat.chat_id])
            index = public.order_by("-index").values_list("index", flat=True).first()
            if index and index > seat.delivered_index:
                mark_delivered(seat, index)

    def ping_body(self) -> dict[str, Any]:
        return {"heads": {str(reader.chat_id): reader.head for reader in self.readers()}}

    async def _clean_up(self) -> None:
        if self.desk is None:
            return
        hub.unsubscribe(self.topic, self._hear_own)
        pulse.leave(self.agent.center_id)
        self.desk.close()
        others = [one for one in Socket.everyone if isinstance(one, AgentSocket) and one.is_welcome]
        if self.is_welcome and not any(other.agent.pk == self.agent.pk for other in others):
            await in_thread(presence.end_lease, self.agent, timezone.now())


_SEATS = Prepared(lambda chat, agent: Participant.objects.filter(chat=chat, agent=agent).select_related("chat"))
