"""What is offered to an agent whose client is here: chats of the application alone. Compared anew with each hint and each beat of the pulse."""

import asyncio
from typing import Any, Protocol
from uuid import UUID

import structlog

from agents.models import Agent
from chats.live import Payload, hub
from chats.models import ForeignChat, Invitation
from chats.protocols.hyperchat.callers import Caller
from chats.protocols.hyperchat.invitations import invitation_shape
from chats.protocols.hyperchat.reach import SHOWN, Reach
from chats.protocols.hyperchat.shapes import chat_shape
from chats.sockets import gather

from .threads import in_thread

log = structlog.get_logger(__name__)


class Outlet(Protocol):
    def tell(self, name: str, data: dict[str, Any]) -> None: ...


class Offers:
    """Tells invitations:new, invitations:end and, for chats that became the agent's, chats:assign."""

    def __init__(self, outlet: Outlet, caller: Caller, agent: Agent) -> None:
        self.outlet, self.caller, self.agent = outlet, caller, agent
        self._offered: dict[UUID, UUID] = {}  # invitation → chat, those of other doors too
        self._told: set[UUID] = set()  # of them, those that the client knows
        self._held: set[UUID] | None = None
        self._topic = f"agent:{agent.pk}"
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False

    def start(self) -> None:
        hub.subscribe(self._topic, self._hear)
        self.look()

    def stop(self) -> None:
        hub.unsubscribe(self._topic, self._hear)
        if self._looking:
            self._looking.cancel()

    def _hear(self, _topic: str, _payload: Payload) -> None:
        self.look()

    def look(self) -> None:
        """Compare soon; who asks while it runs makes it look once more."""
        self._look_again = True
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_whatever())

    async def _look_whatever(self) -> None:
        try:
            while self._look_again:
                self._look_again = False
                await self._look()
        except Exception as error:  # noqa: BLE001 - the database is away, say: the pulse comes again
            log.warning("offers not read", error=type(error).__name__)
        finally:
            self._looking = None

    async def _look(self) -> None:
        sits = await gather.occupations.get(self.agent.pk) or {}
        offered = {invitation: chat for chat, invitation in sits.items() if invitation is not None}
        held = {chat for chat, invitation in sits.items() if invitation is None}
        if new := offered.keys() - self._offered.keys():
            for shown in await in_thread(load_offers, self.caller, new):
                self._told.add(UUID(shown["invitation"]["id"]))
                self.outlet.tell("invitations:new", shown)
        for invitation in self._offered.keys() - offered.keys():
            if invitation in self._told:
                self._told.discard(invitation)
                said = {"chatId": str(self._offered[invitation]), "invitation": {"id": str(invitation)}}
                self.outlet.tell("invitations:end", said)
        if self._held is not None and (gained := held - self._held):
            for chat_id in await in_thread(of_application, self.caller, gained):
                self.outlet.tell("chats:assign", {"chatId": str(chat_id), "userId": str(self.agent.pk)})
        self._offered, self._held = offered, held


def load_offers(caller: Caller, ids: set[UUID]) -> list[dict[str, Any]]:
    """Those of the invitations that are for chats of the application, as their clients hear of them."""
    related = [f"chat__{name}" for name in SHOWN]
    pending = Invitation.objects.pending().filter(pk__in=ids, chat__foreign__registration=caller.registration)
    reach = Reach(caller)
    return [
        {
            "chatId": str(invitation.chat_id),
            "userId": str(invitation.agent_id),
            "invitation": invitation_shape(invitation),
            "chat": chat_shape(invitation.chat, reach.room_id(invitation.chat.team_id)),
        }
        for invitation in pending.select_related(*related).order_by("offered_at")
    ]


def of_application(caller: Caller, chat_ids: set[UUID]) -> list[UUID]:
    known = ForeignChat.objects.filter(chat_id__in=chat_ids, registration=caller.registration)
    return list(known.values_list("chat_id", flat=True))
