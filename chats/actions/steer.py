"""What an application does with chats in nobody's seat: whose chat it is, words of the system, transfers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Presence
from chats.errors import Conflict, Invalid, NotFound
from chats.events import ChatQueued, ChatTransferred, MessagePosted, NotePosted, record
from chats.models import Chat, Customer, Invitation
from contactcenter.models import ContactCenter, Team

from .customers import update_customer
from .hold import leave
from .locking import lock_open_chat
from .offer import offer_chat
from .post import Posted
from .slots import lock_seats_for, route_after
from .text import check_text
from .transfer import enqueue

OWN_FIELDS = ("name", "email", "phone", "language", "data")


@transaction.atomic
def customer_for(center: ContactCenter, who: dict[str, Any], *, now: datetime) -> Customer:
    """The customer whom an application names by `id` or `external_id` (made when it is new), or a new one; the other fields are kept. Raises NotFound."""
    changes = {name: who[name] for name in OWN_FIELDS if name in who}
    customer = _named(center, who)
    if customer is None:
        external_id = who.get("external_id")
        try:
            with transaction.atomic():
                # The center's own server vouches for its ids.
                customer = Customer.objects.create(
                    center=center, external_id=external_id, is_identified=external_id is not None
                )
        except IntegrityError:
            customer = _named(center, who)  # somebody else made the same one just now
            if customer is None:
                raise
    return update_customer(customer, changes, now=now)


@transaction.atomic
def say_as_system(chats: Any, chat_id: UUID, text: str, *, client_id: str, now: datetime) -> Posted:
    """A message of nobody in particular, seen by all. Raises Invalid, NotFound, Closed, Conflict."""
    check_text(text)
    if not text.strip():
        raise Invalid(fields={"text": _("Write something first.")})
    chat = lock_open_chat(chats, chat_id)
    # The database's unique constraint does not see rows without a sender: with the chat locked, looking is enough.
    first = chat.events.filter(sender=None, client_id=client_id).first()
    if first is not None:
        if first.text != text:
            raise Conflict(_("Another message was already sent under this id."))
        return Posted(chat.pk, client_id, first.position, first.index, first.at, replayed=True)
    chat.last_text, chat.last_text_at, chat.last_sender_kind = text[:200], now, "system"
    event = record(chat, MessagePosted(text=text, client_id=client_id), now=now)[0].event
    return Posted(chat.pk, client_id, event.position, event.index, now)


@transaction.atomic
def transfer_by_application(
    chats: Any, chat_id: UUID, *, team: Team | None = None, agent: Agent | None = None, note: str = "", now: datetime
) -> Chat:
    """Hand a chat to a team, or offer it to an agent with a free slot. Raises Invalid, NotFound, Closed, Full."""
    chat = lock_open_chat(chats, chat_id)
    target = team or chat.team
    if not target.is_active or target.center_id != chat.center_id:
        raise Invalid(fields={"team": _("Choose a team.")})
    if agent is not None and (agent.center_id != chat.center_id or agent.pk == chat.agent_id):
        raise Invalid(fields={"agent": _("Choose another agent.")})
    if note.strip():
        check_text(note)
        record(chat, NotePosted(text=note), now=now)
    if agent is not None:
        lock_seats_for(chat, agent)
    left, freed = leave(chat, reason="transferred", now=now)
    enqueue(chat, target, now)
    moved = ChatTransferred(team=str(target.pk), team_name=target.name, agent=str(agent.pk) if agent else None)
    happened = (*left, moved, ChatQueued(team=target.name, reason="transfer"))
    if agent is not None:
        offer_chat(chat, agent, reason="transfer", before=happened, now=now)
    else:
        record(chat, *happened, now=now)
    route_after(chat, freed, now)
    return chat


@transaction.atomic
def invite_agent(chats: Any, chat_id: UUID, agent: Agent, *, now: datetime) -> Invitation:
    """Offer a waiting chat to this agent, instead of whoever has it on offer; the pending offer where there is one already.

    Raises NotFound, Closed, Conflict (somebody has the chat, or the agent is not there), Full.
    """
    chat = lock_open_chat(chats, chat_id)
    pending = chat.invitations.pending().filter(agent=agent, expires_at__gt=now).first()
    if pending is not None:
        return pending
    if not chat.is_waiting:
        raise Conflict(_("This chat has an agent."))
    if not Presence.objects.available(now).filter(agent=agent).exists():
        raise Conflict(_("This agent is not available."))
    lock_seats_for(chat, agent)
    left, freed = leave(chat, reason="transferred", now=now)
    invitation = offer_chat(chat, agent, reason="invited", before=tuple(left), now=now)
    route_after(chat, freed, now)
    return invitation


def _named(center: ContactCenter, who: dict[str, Any]) -> Customer | None:
    if who.get("id"):
        known = Customer.objects.filter(center=center, pk=who["id"]).first()
        if known is None:
            raise NotFound
        return known
    if who.get("external_id"):
        customer = Customer.objects.filter(center=center, external_id=who["external_id"]).first()
        return customer.merged_into or customer if customer else None
    return None
