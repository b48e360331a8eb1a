"""Offers of a chat to an agent: made, accepted, and ended in other ways."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from agents.models import Agent
from chats.due import ask_routing
from chats.errors import Gone, NotFound
from chats.events import (
    ChatEvent,
    InvitationAccepted,
    InvitationDeclined,
    InvitationEvent,
    InvitationExpired,
    InvitationOffered,
    InvitationWithdrawn,
    record,
)
from chats.models import Chat, Invitation, Occupation, hot
from contactcenter.prepared import Prepared
from contactcenter.wire import together

from .hold import join
from .pace import note_moved
from .search import ask_next, note_offer
from .slots import free_slot, hold, route_after, take_slot

ENDINGS: dict[str, type[InvitationEvent]] = {
    Invitation.State.DECLINED: InvitationDeclined,
    Invitation.State.EXPIRED: InvitationExpired,
    Invitation.State.WITHDRAWN: InvitationWithdrawn,
}


def offer_chat(
    chat: Chat,
    agent: Agent,
    *,
    reason: str,
    now: datetime,
    seconds: int | None = None,
    before: tuple[ChatEvent, ...] = (),
) -> Invitation:
    """Offer a waiting chat, whose row the caller has locked, to an agent, for the team's time or for so many seconds.

    `before` (the decision) is recorded ahead of it. Raises Full.
    """
    invitation = Invitation(
        center_id=chat.center_id,
        chat=chat,
        agent=agent,
        team_id=chat.team_id,
        reason=reason,
        offered_at=now,
        expires_at=now + timedelta(seconds=seconds or chat.team.invitation_seconds),
    )
    hot.insert_offer(invitation)
    take_slot(agent, chat, invitation=invitation, now=now)
    offered = InvitationOffered(
        invitation=str(invitation.pk),
        agent=str(agent.pk),
        name=agent.name,
        reason=reason,
        expires_at=invitation.expires_at.isoformat(),
    )
    record(chat, *before, offered, now=now)
    note_offer(chat, now)
    return invitation


@transaction.atomic
def accept_invitation(agent: Agent, invitation_id: UUID, *, now: datetime) -> Chat:
    """The agent takes the offered chat. Raises NotFound, or Gone when the offer has ended. Accepting twice is harmless."""
    chat, invitation = _lock(invitation_id, agent)
    if invitation.state == Invitation.State.ACCEPTED and chat.agent_id == agent.pk and chat.is_open:
        return chat
    if invitation.state != Invitation.State.PENDING or invitation.expires_at <= now:
        raise Gone
    occupation = _OCCUPATION.first(invitation_id)
    assert occupation is not None  # noqa: S101 - a pending offer sits in a slot
    with together():
        _accept(chat, agent, invitation, occupation, now)
    return chat


def _accept(chat: Chat, agent: Agent, invitation: Invitation, occupation: Occupation, now: datetime) -> None:
    queued_at = chat.queued_at
    _end(invitation, Invitation.State.ACCEPTED, now)
    hold(occupation, now)
    accepted = InvitationAccepted(invitation=str(invitation.pk), agent=str(agent.pk), name=agent.name)
    join(chat, agent, reason="accepted", before=(accepted,), now=now)
    ask_routing([chat.team_id], now)  # the queue moved on: others' positions and estimates have changed
    note_moved(chat.team_id, queued_at, now)


@transaction.atomic
def decline_invitation(agent: Agent, invitation_id: UUID, *, now: datetime) -> Chat:
    """The agent does not want the offered chat; it goes to the next one. Raises NotFound or Gone."""
    chat, invitation = _lock(invitation_id, agent)
    if invitation.state == Invitation.State.DECLINED:
        return chat
    if invitation.state != Invitation.State.PENDING:
        raise Gone
    end_offer(chat, invitation, Invitation.State.DECLINED, now=now)
    return chat


@transaction.atomic
def expire_invitation(invitation_id: UUID, *, now: datetime) -> bool:
    """End an offer whose time is over; False when there was nothing (any more) to end."""
    return _end_pending(invitation_id, Invitation.State.EXPIRED, now, due=True)


@transaction.atomic
def withdraw_invitation(invitation_id: UUID, *, now: datetime) -> bool:
    """Take an offer back, because its agent is no longer there."""
    return _end_pending(invitation_id, Invitation.State.WITHDRAWN, now, due=False)


def end_offer(chat: Chat, invitation: Invitation, state: str, *, now: datetime) -> None:
    """End a pending offer of a chat whose row is locked; the chat waits again where it stood."""
    _end(invitation, state, now)
    freed = free_slot(chat, now)
    agent = invitation.agent
    record(chat, ENDINGS[state](invitation=str(invitation.pk), agent=str(agent.pk), name=agent.name), now=now)
    ask_next(chat, now)
    route_after(chat, freed, now)


def _end_pending(invitation_id: UUID, state: str, now: datetime, *, due: bool) -> bool:
    try:
        chat, invitation = _lock(invitation_id)
    except NotFound:
        return False
    if invitation.state != Invitation.State.PENDING or (due and invitation.expires_at > now):
        return False
    end_offer(chat, invitation, state, now=now)
    return True


def _lock(invitation_id: UUID, agent: Agent | None = None) -> tuple[Chat, Invitation]:
    """The chat's row first, then the invitation (one of the agent's) as it is once the row is ours. Raises NotFound."""
    found = _INVITATION.first(invitation_id)
    if found is None or (agent is not None and found.agent_id != agent.pk):
        raise NotFound
    chat, invitation = _CHAT.first(found.chat_id), _INVITATION.first(invitation_id)
    if chat is None or invitation is None:
        raise NotFound
    return chat, invitation


_INVITATION = Prepared(lambda invitation: Invitation.objects.filter(pk=invitation).select_related("agent"))
_CHAT = Prepared(lambda chat: Chat.objects.filter(pk=chat).select_related("team").locked())
_OCCUPATION = Prepared(lambda invitation: Occupation.objects.filter(invitation=invitation))


def _end(invitation: Invitation, state: str, now: datetime) -> None:
    invitation.state, invitation.ended_at = state, now
    hot.save_ending(invitation)
