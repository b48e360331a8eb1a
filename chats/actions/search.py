"""Searches that a program steers: begun when somebody asks, moved on when an offer ends, over with an agent or with nobody.

A chat has such a search from its start (Start.is_steered) or never. The row changes only while its chat's row is locked; the one
exception is the claim of whoever goes on with it (chats.routing.search).
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chats.due import do_soon
from chats.errors import Invalid
from chats.events import ChatEvent, SearchFailed, record
from chats.models import Chat, Occupation, Search
from contactcenter.models import Team
from contactcenter.prepared import Prepared

from .locking import lock_open_chat

# Who begins a search asks the first agent itself. If it dies before, the sweep goes on.
HEAD_START = timedelta(seconds=30)
LEAST_SECONDS, MOST_SECONDS = 5, 600  # of an invitation, as for a team's
MOST_ATTEMPTS = 1000


@transaction.atomic
def begin_search(
    chats: Any,
    chat_id: UUID,
    *,
    strategy: str = "",
    invitation_seconds: int | None = None,
    attempts: int | None = None,
    now: datetime,
) -> Chat:
    """Start the search of a steered chat, or start it anew after its end: agents who were asked before may be asked again.

    The caller then calls chats.routing.search.search_agent. A search that runs goes on as it is; so does a chat that is held, on offer,
    or not steered. `strategy` and `invitation_seconds`: the team's where empty; `attempts`: how many agents are asked at most.
    Raises Invalid, NotFound, Closed.
    """
    _check(strategy, invitation_seconds, attempts)
    chat = lock_open_chat(chats, chat_id)
    search = Search.objects.filter(chat=chat).first()
    if search is None or search.is_running or not chat.is_waiting or Occupation.objects.filter(chat=chat).exists():
        return chat
    search.strategy, search.invitation_seconds, search.attempts_left = strategy, invitation_seconds, attempts
    search.started_at, search.ended_at, search.due_at = now, None, now + HEAD_START
    search.save()
    return chat


def search_anew(chat: Chat, now: datetime) -> bool:
    """The locked chat waits (again): if it is steered, its search starts by itself, as it was wanted before. False for other chats."""
    search = Search.objects.filter(chat=chat).first()
    if search is None:
        return False
    search.started_at, search.ended_at, search.due_at, search.attempts_left = now, None, now, None
    search.save()
    do_soon("continue_search", search.pk)
    return True


def note_offer(chat: Chat, now: datetime) -> None:
    """The locked chat rings at somebody's: nobody else is asked meanwhile. Also an offer made by hand goes on to the next agent when it ends."""
    search = _SEARCH.first(chat.pk)
    if search is None:
        return
    if not search.is_running:
        search.started_at, search.ended_at = now, None
    search.due_at = None
    search.save()


_SEARCH = Prepared(lambda chat: Search.objects.filter(chat=chat))


def ask_next(chat: Chat, now: datetime) -> None:
    """The locked chat's offer has ended: the next agent is due."""
    search = Search.objects.filter(chat=chat).first()
    if search is not None and search.is_running:
        Search.objects.filter(pk=search.pk).update(due_at=now)
        do_soon("continue_search", search.pk)


def end_search(chat: Chat, now: datetime) -> None:
    """The locked chat has an agent, or wants none any more."""
    search = _SEARCH.first(chat.pk)
    if search is not None and search.ended_at is None:
        Search.objects.filter(pk=search.pk).update(ended_at=now, due_at=None)


def fail_search(chat: Chat, *, before: tuple[ChatEvent, ...], now: datetime) -> None:
    """Nobody (else) can be asked. The locked chat stays open for a while: its program may search again, or close it. `before`: why."""
    end_search(chat, now)
    closes_at = now + timedelta(seconds=chat.team.away_close_seconds)
    chat.due_at = min(chat.due_at or closes_at, closes_at)
    record(chat, *before, SearchFailed(), now=now)


def _check(strategy: str, invitation_seconds: int | None, attempts: int | None) -> None:
    if strategy and strategy not in Team.Strategy.values:
        raise Invalid(fields={"strategy": _("There is no such rule.")})
    if invitation_seconds is not None and not LEAST_SECONDS <= invitation_seconds <= MOST_SECONDS:
        raise Invalid(fields={"invitation_seconds": _("An invitation lasts from 5 to 600 seconds.")})
    if attempts is not None and not 1 <= attempts <= MOST_ATTEMPTS:
        raise Invalid(fields={"attempts": _("From 1 to 1000 agents can be asked.")})
