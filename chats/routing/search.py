"""One step of a search that a program steers (models.Search): find the next agent and make the offer.

Called by doors that must answer with an agent, and by a task when an offer has ended. Both may come at the same moment.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from agents.models import Agent
from chats.actions.offer import offer_chat
from chats.actions.search import fail_search
from chats.errors import Full
from chats.models import Chat, Invitation, Occupation, Search
from contactcenter.outage import is_outage

from .candidates import load_candidates, load_left
from .choose import Candidate, Decision, Need, choose, words
from .engine import MOST_PICTURES, Outdated, lock_center, lock_present
from .explain import describe

log = structlog.get_logger(__name__)

# Asked before the strategy whom to offer a chat: an agent's id or None, within five seconds. They may call the world outside.
Adviser = Callable[[Chat], UUID | None]
advisers: list[Adviser] = []

LEASE = timedelta(seconds=30)  # a worker that dies leaves the search due after this
MOST_AT_ONCE = (
    2  # searches that workers of one process go on with: advisers are slow, and other work waits for the same threads
)
MOST_DUE = 100  # handed to the workers by one sweep
PATIENCE = 0.2  # seconds for a place among them; then the search stays due for the next sweep

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


def continue_search(search_id: UUID, now: datetime) -> bool:
    """Ask the next agent, if the search is due and nobody else is at it. False when there was nothing to do, or no time."""
    if not _places.acquire(timeout=PATIENCE):
        return False
    try:
        if not Search.objects.filter(pk=search_id, due_at__lte=now).update(due_at=now + LEASE):
            return False
        search_agent(Search.objects.get(pk=search_id).chat_id, now)
        return True
    finally:
        _places.release()


def due_searches(now: datetime) -> list[UUID]:
    """Searches that no wake-up reached, the longest due first."""
    return list(Search.objects.due(now).values_list("pk", flat=True)[:MOST_DUE])


def search_agent(chat_id: UUID, now: datetime) -> Agent | None:
    """Offer the chat to the next agent of its search. Returns whom it is offered to, or who holds it, by then; None when nobody was found.

    Not within a transaction: it asks the advisers, and locks the center before the chat.
    """
    chat = Chat.objects.select_related("team", "center", "customer").filter(pk=chat_id).first()
    if chat is None:
        return None
    asked_at = time.monotonic()
    named = _ask_advisers(chat) if _is_sought(chat) else None
    now += timedelta(seconds=int(time.monotonic() - asked_at))  # an answer's time is not taken from the invitation's
    for _ in range(MOST_PICTURES):
        try:
            return _take_step(chat.center_id, chat_id, named, now)
        except Outdated:
            continue
    log.warning("a search did not come to an end", chat=str(chat_id))
    return None


def _is_sought(chat: Chat) -> bool:
    search = Search.objects.filter(chat=chat).first()
    return search is not None and search.is_running and not Occupation.objects.filter(chat=chat).exists()


def _ask_advisers(chat: Chat) -> UUID | None:
    """The first agent whom one names; one that fails has no opinion."""
    for adviser in advisers:
        try:
            named = adviser(chat)
        except Exception as error:  # the outermost door of this adviser
            if is_outage(error):
                raise
            log.exception("an adviser failed", chat=str(chat.pk))
            continue
        if named is not None:
            return named
    return None


@transaction.atomic
def _take_step(center_id: UUID, chat_id: UUID, named: UUID | None, now: datetime) -> Agent | None:
    """Decide and offer, alone in the center. Raises Outdated when the agent cannot take it any more."""
    lock_center(center_id)
    chat = Chat.objects.filter(pk=chat_id).select_related("team").locked().first()
    place = Occupation.objects.filter(chat_id=chat_id).select_related("agent").first()
    if place is not None:
        holder: Agent = place.agent
        return holder
    # Read after the chat's lock: somebody else's step, or the end of the chat, may have come before.
    search = Search.objects.filter(chat_id=chat_id).first()
    if chat is None or search is None or not search.is_running:
        return None
    strategy = search.strategy or chat.team.strategy
    decision, reason = _decide(chat, search, strategy, named, now)
    decided = describe(chat.team, decision, strategy=strategy)
    if decision.chosen is None:
        fail_search(chat, before=(decided,), now=now)
        return None
    agent = lock_present(decision.chosen.agent_id, now)
    try:
        offer_chat(chat, agent, reason=reason, seconds=search.invitation_seconds, before=(decided,), now=now)
    except Full:
        raise Outdated from None
    if search.attempts_left is not None:
        Search.objects.filter(pk=search.pk).update(attempts_left=search.attempts_left - 1)
    return agent


def _decide(chat: Chat, search: Search, strategy: str, named: UUID | None, now: datetime) -> tuple[Decision, str]:
    """Who is asked next, and why that one: the adviser's word if that agent can take it, else the strategy's. Nobody is asked twice."""
    candidates = load_candidates(chat.team, now)
    asked = _asked(chat, search)
    need = Need(language=chat.language, skills=words(chat.skills), asked=asked)
    decision = choose(list(candidates.values()), need, strategy=strategy, now=now)
    if search.attempts_left == 0:
        return _stopped(decision), strategy
    if named in candidates:
        # Whom an adviser names need not speak the language nor have the skills, but must be there and have a slot.
        advised = choose([candidates[named]], Need(asked=asked), strategy=strategy, now=now).chosen
        if advised is not None:
            return _preferring(decision, advised), "advised"
    return decision, strategy


def _asked(chat: Chat, search: Search) -> frozenset[UUID]:
    """Who was offered the chat in this search, or gave it back at its beginning."""
    since = search.started_at or chat.started_at
    asked = set(Invitation.objects.filter(chat=chat, offered_at__gte=since).values_list("agent_id", flat=True))
    return frozenset(asked.union(agent_id for _, agent_id, _ in load_left([chat.pk], since)))


def _stopped(decision: Decision) -> Decision:
    """As many were asked as should be: who could still be asked is excluded for that."""
    rest = tuple((one, "attempts_used") for one in decision.eligible)
    return replace(decision, chosen=None, eligible=(), excluded=decision.excluded + rest)


def _preferring(decision: Decision, advised: Candidate) -> Decision:
    return replace(
        decision,
        chosen=advised,
        eligible=(advised, *(one for one in decision.eligible if one != advised)),
        excluded=tuple((one, why) for one, why in decision.excluded if one != advised),
    )
