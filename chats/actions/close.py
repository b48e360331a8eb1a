"""Ending a chat."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Disposition
from chats.due import do_soon
from chats.errors import Forbidden, Invalid
from chats.events import ChatClosed, ChatDisposed, ChatEvent, MessagePosted, record
from chats.models import Chat, Participant

from .hold import leave
from .locking import lock_chat
from .search import end_search
from .slots import route_after


@transaction.atomic
def close_by_customer(participant: Participant, *, now: datetime) -> Chat:
    """The customer ends the chat. Ending an ended chat is harmless."""
    chat = lock_chat(Chat.objects, participant.chat_id)
    return _close(chat, by="customer", reason=Chat.CloseReason.DONE, sender=participant, now=now)


@transaction.atomic
def close_by_agent(
    agent: Agent, chat_id: UUID, *, disposition: Disposition | None = None, comment: str = "", now: datetime
) -> Chat:
    """The chat's agent, or a supervisor, ends it and says how it went. Raises Forbidden, Invalid, NotFound."""
    chat = lock_chat(agent.center.chats, chat_id)
    if chat.agent_id != agent.pk and not agent.is_supervisor:
        raise Forbidden(_("Only the chat's agent or a supervisor may close it."))
    sender = chat.participants.filter(agent=agent).first()
    if chat.is_open and (disposition or comment):
        _dispose(chat, disposition, comment, sender=sender, now=now)
    return _close(chat, by="agent", reason=Chat.CloseReason.DONE, sender=sender, now=now)


@transaction.atomic
def dispose_chat(
    agent: Agent, chat_id: UUID, *, disposition: Disposition | None, comment: str = "", now: datetime
) -> Chat:
    """The chat's agent, or a supervisor, says how it goes or went: before the end or after it. Raises Forbidden, Invalid, NotFound."""
    chat = lock_chat(agent.center.chats, chat_id)
    if chat.agent_id != agent.pk and not agent.is_supervisor:
        raise Forbidden(_("Only the chat's agent or a supervisor may do this."))
    _dispose(chat, disposition, comment, sender=chat.participants.filter(agent=agent).first(), now=now)
    return chat


@transaction.atomic
def close_chat(
    chats: Any, chat_id: UUID, *, reason: str, now: datetime, words: str = "", is_silent: bool = False
) -> Chat:
    """The system ends a chat (a rule of the team, an administrator, an application); `words`, or else the team's closing words, are said before.

    is_silent: nothing is.
    """
    chat = lock_chat(chats, chat_id)
    return _close(chat, by="system", reason=reason, sender=None, now=now, words=words, is_silent=is_silent)


def _dispose(
    chat: Chat, disposition: Disposition | None, comment: str, *, sender: Participant | None, now: datetime
) -> None:
    if disposition is not None and disposition.center_id != chat.center_id:
        raise Invalid(fields={"disposition": _("Choose one of the list.")})
    chat.disposition, chat.comment = disposition, comment
    disposed = ChatDisposed(disposition=disposition.name if disposition else "", comment=comment)
    record(chat, disposed, sender=sender, now=now)


def _close(
    chat: Chat,
    *,
    by: str,
    reason: str,
    sender: Participant | None,
    now: datetime,
    words: str = "",
    is_silent: bool = False,
) -> Chat:
    if not chat.is_open:
        return chat
    agent = chat.agent
    left, freed = leave(chat, reason="closed", now=now)
    chat.agent = agent  # who had it last
    end_search(chat, now)
    # The end of the chat says that its agent leaves. What is still to be said is an offer that was withdrawn.
    happened: list[ChatEvent] = [event for event in left if not event.is_public]
    said = "" if is_silent else words or chat.team.closing
    if said:
        record(chat, *happened, MessagePosted(text=said), now=now)
        happened = []
    chat.state, chat.closed_at, chat.close_reason = Chat.State.CLOSED, now, reason
    chat.queued_at = chat.search_until = chat.due_at = chat.waiting_since = None
    chat.unread = 0
    chat.participants.joined().update(left_at=now)
    chat.participants.guests().update(invited_at=None)
    record(chat, *happened, ChatClosed(by=by, reason=reason, is_silent=is_silent), sender=sender, now=now)
    chat.transcript_requests.filter(due_at=None).update(due_at=now)
    for request_id in chat.transcript_requests.filter(sent_at=None).values_list("pk", flat=True):
        do_soon("mail_transcript", request_id)
    route_after(chat, freed, now)
    return chat
