"""Our events as HyperChat's web hooks hear them. A table: our type → triggers with their data, in this order.

Data is skinny: receivers read the rest over the API. Names and members follow developers.inbenta.io, "Webhook events", and where that is
silent what the connectors of inbenta-integrations read.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chats.models import Chat, Event, ForeignChat, Webhook
from chats.outbox.filing import Filed, Record

from .reach import SYSTEM
from .shapes import message_shapes, sender_id
from .subscribers import call, hears

Said = list[tuple[str, dict[str, Any]]]  # triggers, each with its data
INACTIVE = frozenset({Chat.CloseReason.IDLE, Chat.CloseReason.CUSTOMER_LEFT})


@dataclass(frozen=True, slots=True)
class Told:
    """An event, its chat as it was then, and what the client calls that."""

    chat: Chat
    event: Event
    foreign: ForeignChat

    @property
    def chat_id(self) -> dict[str, Any]:
        return {"chatId": str(self.chat.pk)}

    @property
    def agent(self) -> dict[str, Any]:
        """The chat, and the agent whom the event names."""
        return {**self.chat_id, "userId": self.event.data["agent"]}


def speak(webhooks: Sequence[Webhook], records: Sequence[Record], /) -> list[Filed]:
    """outbox.filing's speaker: what each web hook wants to hear of chats that its own registration began. One query at most."""
    hooks: dict[UUID, list[Webhook]] = defaultdict(list)
    for webhook in webhooks:
        if webhook.registration is not None and webhook.registration.is_active:
            hooks[webhook.registration.pk].append(webhook)
    begun = {record.chat.pk for record in records if record.chat.is_foreign}
    if not hooks or not begun:
        return []
    known = {row.chat_id: row for row in ForeignChat.objects.filter(chat_id__in=begun, registration_id__in=hooks)}
    return [
        call(webhook, record.chat.pk, trigger, data, record.event.at)
        for record in records
        if (foreign := known.get(record.chat.pk))
        for trigger, data in WORDS[record.event.type](Told(record.chat, record.event, foreign))
        for webhook in hooks[foreign.registration_id]
        if hears(webhook, trigger)
    ]


def _created(told: Told) -> Said:
    facts = told.foreign.facts
    data = {
        **told.chat_id,
        "creator": str(told.chat.customer_id),
        "room": facts.get("room"),
        "source": facts.get("source", 3),
        "lang": told.chat.language,
        "externalId": told.foreign.external_id,
    }
    return [("chats:create", data)]


def _said(told: Told) -> Said:
    return [("messages:new", {"message": message}) for message in message_shapes(told.event, told.chat)]


def _offered(told: Told) -> Said:
    return [("invitations:new", told.agent)]


def _joined(told: Told) -> Said:
    """An agent may come without an invitation, too. Most clients know of an agent's coming by invitations:accept alone."""
    return [("invitations:accept", told.agent), ("chats:join", told.agent), ("users:join", told.agent)]


def _left(told: Told) -> Said:
    return [("chats:leave", told.agent)]


def _alone(told: Told) -> Said:
    return [("forever:alone", told.chat_id)]


def _closed(told: Told) -> Said:
    """Clients ask for the ticket's survey before they hear that the chat has ended, or never. That everybody leaves goes without saying."""
    closer = told.event.sender
    # Who looked in without taking part is nobody whom the client could read.
    user = sender_id(closer, told.chat) if closer and closer.joined_at else SYSTEM
    closed: dict[str, Any] = {**told.chat_id, "userId": user}
    if told.event.data["reason"] in INACTIVE:
        closed["extraData"] = {"reason": "inactivity"}
    ticket = {**told.chat_id, "data": {"ticketId": str(told.chat.pk)}}
    return [("system:info", ticket), ("chats:close", closed)]


def _silent(_told: Told) -> Said:
    return []


WORDS: dict[str, Callable[[Told], Said]] = {
    "chat.started": _created,
    "message.posted": _said,
    "customer.reminded": _said,
    "invitation.offered": _offered,
    "agent.joined": _joined,
    "agent.left": _left,
    "search.failed": _alone,
    "chat.closed": _closed,
    # The agent's joining tells it.
    "invitation.accepted": _silent,
    # The next invitation tells it, or forever:alone.
    "invitation.declined": _silent,
    "invitation.expired": _silent,
    "invitation.withdrawn": _silent,
    # The place in the queue tells it (places).
    "chat.queued": _silent,
    "chat.transferred": _silent,
    # The agent's joining tells it.
    "chat.reopened": _silent,
    # Nobody outside is told.
    "chat.disposed": _silent,
    "chat.erased": _silent,
    "chat.moved": _silent,
    "chat.updated": _silent,
    "customer.updated": _silent,
    "guest.declined": _silent,
    "guest.invited": _silent,
    "history.imported": _silent,
    "message.failed": _silent,
    "message.resent": _silent,
    "note.posted": _silent,
    "routing.decided": _silent,
    "survey.answered": _silent,
}
