"""Moving a chat to another team or agent, or back into the queue."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Membership
from chats.errors import Forbidden, Invalid
from chats.events import ChatQueued, ChatTransferred, NotePosted, record
from chats.models import Chat
from contactcenter.models import Team

from .hold import leave
from .locking import lock_open_chat, seat_in_chat
from .offer import offer_chat
from .search import search_anew
from .slots import lock_seats_for, route_after
from .text import check_text


@transaction.atomic
def transfer_to_team(by: Agent, chat_id: UUID, team: Team, *, note: str = "", now: datetime) -> Chat:
    """Hand a chat to a team: it waits there, keeping the time that it has waited. Raises Forbidden, Invalid, NotFound, Closed."""
    chat = lock_open_chat(by.center.chats, chat_id)
    _check_may_transfer(by, chat)
    if team.center_id != chat.center_id or not team.is_active:
        raise Invalid(fields={"team": _("Choose a team.")})
    _leave_note(chat, by, note, now)
    left, freed = leave(chat, reason="transferred", now=now)
    enqueue(chat, team, now)
    moved = ChatTransferred(team=str(team.pk), team_name=team.name)
    record(chat, *left, moved, ChatQueued(team=team.name, reason="transfer"), now=now)
    route_after(chat, freed, now)
    return chat


@transaction.atomic
def transfer_to_agent(by: Agent, chat_id: UUID, agent: Agent, *, note: str = "", now: datetime) -> Chat:
    """Offer a chat to one agent, in a slot that is free now. If the agent does not take it, the team's queue goes on. Raises Full and others."""
    chat = lock_open_chat(by.center.chats, chat_id)
    _check_may_transfer(by, chat)
    if agent.center_id != chat.center_id or agent.pk == chat.agent_id or not agent.is_active:
        raise Invalid(fields={"agent": _("Choose another agent.")})
    team = _team_of(agent, chat)
    _leave_note(chat, by, note, now)
    lock_seats_for(chat, agent)
    left, freed = leave(chat, reason="transferred", now=now)
    enqueue(chat, team, now)
    moved = ChatTransferred(team=str(team.pk), team_name=team.name, agent=str(agent.pk))
    before = (*left, moved, ChatQueued(team=team.name, reason="transfer"))
    offer_chat(chat, agent, reason="transfer", before=before, now=now)
    route_after(chat, freed, now)
    return chat


@transaction.atomic
def leave_chat(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """The chat's agent gives it back; it waits for another one. Raises Forbidden, NotFound, Closed."""
    chat = lock_open_chat(agent.center.chats, chat_id)
    if chat.agent_id != agent.pk:
        raise Forbidden(_("Only the chat's agent may leave it."))
    return requeue_chat(agent.center.chats, chat_id, reason="left", now=now)


@transaction.atomic
def requeue_chat(chats: Any, chat_id: UUID, *, reason: str, now: datetime) -> Chat:
    """Put a chat back into its team's queue, in front of those who came later.

    reason: agent_gone (nobody hears of the agent any more), left (the agent gives it back) or returned (an application wants another agent).
    Raises NotFound, Closed.
    """
    chat = lock_open_chat(chats, chat_id)
    left, freed = leave(chat, reason="gone" if reason == "agent_gone" else reason, now=now)
    enqueue(chat, chat.team, now)
    chat.queued_at = chat.started_at
    record(chat, *left, ChatQueued(team=chat.team.name, reason=reason), now=now)
    route_after(chat, freed, now)
    return chat


def enqueue(chat: Chat, team: Team, now: datetime) -> None:
    """The locked chat waits for this team from now on; the caller records it."""
    is_steered = search_anew(chat, now)
    is_direct = team.mode == Team.Mode.DIRECT and not is_steered
    chat.team = team
    chat.state = Chat.State.SEARCHING if is_direct or is_steered else Chat.State.QUEUED
    chat.queued_at = now
    chat.search_until = now + timedelta(seconds=team.search_seconds) if is_direct else None
    chat.due_at = chat.search_until or now + timedelta(seconds=team.away_reminder_seconds)


def _check_may_transfer(by: Agent, chat: Chat) -> None:
    if chat.agent_id != by.pk and not by.is_supervisor:
        raise Forbidden(_("Only the chat's agent or a supervisor may transfer it."))


def _leave_note(chat: Chat, by: Agent, note: str, now: datetime) -> None:
    if note.strip():
        check_text(note)
        record(chat, NotePosted(text=note), sender=seat_in_chat(chat, by), now=now)


def _team_of(agent: Agent, chat: Chat) -> Team:
    """The chat's own team where the agent is in it, else the agent's first one, else the chat's."""
    teams: dict[UUID, Team] = {
        row.team_id: row.team for row in Membership.objects.filter(agent=agent).select_related("team")
    }
    return teams.get(chat.team_id) or next(iter(teams.values()), chat.team)
