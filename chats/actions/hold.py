"""Becoming the owner of a chat: by accepting, picking, being assigned, reopening."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Membership
from chats.errors import Conflict, Forbidden, Gone
from chats.events import AgentJoined, AgentLeft, ChatEvent, ChatReopened, ChatTransferred, InvitationWithdrawn, record
from chats.models import Chat, Customer, Invitation, Occupation
from contactcenter.models import Team

from .locking import lock_chat, lock_open_chat, seat_in_chat
from .pace import note_moved
from .search import end_search
from .slots import free_slot, lock_seats_for, note_assigned, route_after, take_slot


def join(chat: Chat, agent: Agent, *, reason: str, before: tuple[ChatEvent, ...] = (), now: datetime) -> None:
    """The agent, in whose slot the locked chat sits by now, becomes its owner."""
    participant = seat_in_chat(chat, agent, joined_at=now)
    if participant.joined_at is None or participant.left_at or participant.invited_at:
        participant.joined_at, participant.left_at, participant.invited_at = participant.joined_at or now, None, None
        participant.save(update_fields=["joined_at", "left_at", "invited_at"])
    chat.agent = agent
    chat.state = Chat.State.ACTIVE
    chat.first_accepted_at = chat.first_accepted_at or now
    chat.queued_at = chat.search_until = None
    chat.due_at = now + timedelta(seconds=min(chat.team.away_reminder_seconds, chat.team.idle_reminder_seconds))
    joined = AgentJoined(agent=str(agent.pk), name=agent.name, reason=reason)
    end_search(chat, now)
    record(chat, *before, joined, sender=participant, now=now)


def leave(chat: Chat, *, reason: str, now: datetime) -> tuple[list[ChatEvent], Occupation | None]:
    """Take the locked chat from whoever holds it or has it on offer: the events to record, and the occupation that ended."""
    happened: list[ChatEvent] = []
    occupation = free_slot(chat, now)
    if occupation and occupation.invitation:
        happened.append(_withdraw(occupation.invitation, now))
    if chat.agent:
        chat.participants.filter(agent=chat.agent, left_at=None).update(left_at=now)
        happened.append(AgentLeft(agent=str(chat.agent_id), name=chat.agent.name, reason=reason))
        chat.agent = None
    return happened, occupation


@transaction.atomic
def pick_chat(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """Take a waiting chat of one's team by hand, also one that is just offered to somebody else. Raises Full, Gone, Forbidden, NotFound."""
    chat = lock_open_chat(agent.center.chats, chat_id)
    if chat.agent_id == agent.pk:
        return chat
    if not chat.is_waiting:
        raise Gone(_("Somebody else has taken this chat."))
    if not agent.is_supervisor and not Membership.objects.filter(agent=agent, team_id=chat.team_id).exists():
        raise Forbidden(_("This chat is another team's."))
    return give(chat, agent, reason="picked", now=now)


@transaction.atomic
def assign_chat(center_chats: Any, chat_id: UUID, agent: Agent, *, now: datetime) -> Chat:
    """Give an open chat to an agent with a free slot, whoever has it now. Raises Full, NotFound, Closed."""
    chat = lock_open_chat(center_chats, chat_id)
    if chat.agent_id == agent.pk:
        return chat
    return give(chat, agent, reason="assigned", now=now)


@transaction.atomic
def reopen_chat(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """A closed chat goes on with this agent. Raises Full, NotFound, or Conflict when the customer has another chat open."""
    # The customer before the chat, as everywhere where both are locked.
    customers = Customer.objects.filter(chats=chat_id, center_id=agent.center_id)
    customer = customers.select_for_update(no_key=True, of=("self",)).first()
    chat = lock_chat(agent.center.chats, chat_id)
    if chat.is_open:
        if chat.agent_id == agent.pk:
            return chat
        raise Conflict(_("This chat is open."))
    if customer is not None and customer.erased_at is not None:
        raise Conflict(_("This customer was erased."))
    if customer is None or customer.pk != chat.customer_id or customer.chats.open().exists():
        raise Conflict(_("This customer has another chat open."))
    take_slot(agent, chat, invitation=None, now=now)
    note_assigned(agent.pk, now)
    chat.closed_at, chat.close_reason = None, ""
    join(chat, agent, reason="reopened", before=(ChatReopened(),), now=now)
    return chat


def give(chat: Chat, agent: Agent, *, reason: str, team: Team | None = None, now: datetime) -> Chat:
    """Put the locked open chat into a free slot of the agent, whoever has it now. `team`: whose chat it is from now on. Raises Full."""
    queued_at, team_id = chat.queued_at, chat.team_id
    lock_seats_for(chat, agent)
    left, freed = leave(chat, reason="transferred", now=now)
    if team is not None and team.pk != team_id:
        chat.team = team
        left.append(ChatTransferred(team=str(team.pk), team_name=team.name, agent=str(agent.pk)))
    take_slot(agent, chat, invitation=None, now=now)
    note_assigned(agent.pk, now)
    join(chat, agent, reason=reason, before=tuple(left), now=now)
    route_after(chat, freed, now)
    note_moved(team_id, queued_at, now)
    return chat


def _withdraw(invitation: Invitation, now: datetime) -> ChatEvent:
    invitation.state, invitation.ended_at = Invitation.State.WITHDRAWN, now
    invitation.save(update_fields=["state", "ended_at"])
    return InvitationWithdrawn(
        invitation=str(invitation.pk), agent=str(invitation.agent_id), name=invitation.agent.name
    )
