"""Routing a team: an ordinary function, called by Celery, by the sweep, and by doors that must answer with an agent.

A run claims the team's queue, takes a picture of its agents and of its waiting chats, and walks through the chats in their order.
Each offer is a transaction of its own. The picture only shrinks while the run makes its offers; when the database knows better
(somebody else took the slot, the agent went away) a new picture is taken and the walk begins anew, so that no chat is overtaken by a later one.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.dispatch import Signal

from agents.models import Agent, Presence
from agents.models.presence import LEAVING
from chats.actions.offer import offer_chat
from chats.actions.slots import lock_seats
from chats.due import do_soon
from chats.errors import Full
from chats.events import Record, number, store
from chats.models import Chat, Event, Occupation, Queue, hot
from contactcenter import wire
from contactcenter.models import Team
from contactcenter.outage import is_outage
from contactcenter.prepared import Prepared, PreparedValues, among
from contactcenter.statements import Select

from .candidates import Waiting, load_candidates, load_waiting
from .choose import Candidate, Decision, Need, choose
from .explain import describe, last_reasons, reason_codes

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=5)
EXPLAINED_AT_ONCE = 100  # chats in one transaction
MOST_PICTURES = 50  # in one run; a centre in which that many are outdated at once goes on in the next

routed = Signal()  # team_id, now; after a run, outside its transactions


class Outdated(Exception):
    """The picture that was decided by is no longer true."""


def route_team(team_id: UUID, now: datetime) -> int:
    """Offer the team's waiting chats to its agents, if the team's queue is due and nobody else is at it. Returns how many offers were made."""
    lease = _claim(team_id, now)
    if lease is None:
        return 0
    team = _TEAM.first(team_id)
    assert team is not None  # noqa: S101 - its queue is there
    run = Run(team, now)
    is_done = run.finish()
    # Whoever asked for routing meanwhile wrote another time there: then the queue stays due, for a run that sees what this one has not.
    due_at = run.ask_again_at if is_done else now
    Queue.objects.filter(team_id=team_id, routing_due_at=lease).update(routing_due_at=due_at)
    if not is_done:
        do_soon("route_team", team_id)
    routed.send_robust(sender=None, team_id=team_id, now=now)
    return run.offers


_TEAM = Prepared(lambda team: Team.objects.filter(pk=team))


def _claim(team_id: UUID, now: datetime) -> datetime | None:
    """Until when the queue is ours, or None. A run that dies leaves the queue due when its lease is over."""
    lease = now + LEASE
    claimed = Queue.objects.filter(team_id=team_id, routing_due_at__lte=now).update(routing_due_at=lease)
    return lease if claimed else None


class Run:
    """One walk through a team's queue."""

    def __init__(self, team: Team, now: datetime) -> None:
        self.team = team
        self.now = now
        self.offers = 0
        self.ask_again_at: datetime | None = None
        # Who had no slot left when it came to it. One that becomes free asks for another run.
        self.full: set[UUID] = set()

    def finish(self) -> bool:
        """Walk until everybody who fits has an offer. False when it should be gone on with later."""
        for _ in range(MOST_PICTURES):
            waiting = load_waiting(self.team, self.now)
            # Most runs find that the one before has done their work.
            self.candidates = self._candidates() if waiting else {}
            try:
                unmatched = self._walk(waiting)
            except Outdated:
                continue
            self._explain(unmatched)
            self.ask_again_at = min((d.ask_again_at for _, d in unmatched if d.ask_again_at), default=None)
            return True
        log.warning("routing did not come to an end", team=str(self.team.pk))
        return False

    def _candidates(self) -> dict[UUID, Candidate]:
        found = load_candidates(self.team, self.now)
        return found | {agent: replace(found[agent], free=0) for agent in self.full & found.keys()}

    def _walk(self, waiting: list[Waiting]) -> list[tuple[Waiting, Decision]]:
        """Offer what can be offered; the chats that nobody fits, and why."""
        unmatched: list[tuple[Waiting, Decision]] = []
        # Whom nobody fits now, nobody fits later in this walk: free slots only become fewer.
        hopeless: dict[Need, Decision] = {}
        for chat in waiting:
            decision = hopeless.get(chat.need) or self._choose(chat.need)
            if decision.chosen is None:
                hopeless[chat.need] = decision
                unmatched.append((chat, decision))
            elif self._try_offer(chat, decision):
                self._count_offer(decision.chosen.agent_id)
        return unmatched

    def _try_offer(self, chat: Waiting, decision: Decision) -> bool:
        """One chat at which something is broken does not stop those behind it."""
        try:
            return self._offer(chat, decision)
        except Outdated:
            raise
        except Exception as error:  # the outermost door of this chat
            if is_outage(error):
                raise
            log.exception("a chat could not be offered", chat=str(chat.chat_id))
            return False

    def _choose(self, need: Need) -> Decision:
        return choose(list(self.candidates.values()), need, strategy=self.team.strategy, now=self.now)

    @transaction.atomic
    def _offer(self, waiting: Waiting, decision: Decision) -> bool:
        """Make the offer; False when the chat no longer waits. Raises Outdated when the agent cannot take it any more."""
        with wire.together():
            return self._offer_alone(waiting, decision)

    def _offer_alone(self, waiting: Waiting, decision: Decision) -> bool:
        lock_center(self.team.center_id)
        chat = self._lock_waiting(waiting)
        if chat is None:
            return False
        assert decision.chosen is not None  # noqa: S101 - the caller has looked
        agent = lock_present(decision.chosen.agent_id, self.now)
        decided = describe(self.team, decision)
        try:
            offer_chat(chat, agent, reason=self.team.strategy, now=self.now, before=(decided,))
        except Full:
            self.full.add(agent.pk)
            raise Outdated from None
        self.offers += 1
        return True

    def _lock_waiting(self, waiting: Waiting) -> Chat | None:
        chat = _WAITING.first(waiting.chat_id, self.team.pk)
        # Asked again now that the row is ours: it may have been offered or taken while we waited for it.
        if chat is None or _OCCUPIED.tuples(chat.pk):
            return None
        return chat

    def _count_offer(self, agent_id: UUID) -> None:
        seen = self.candidates[agent_id]
        self.candidates[agent_id] = replace(seen, free=seen.free - 1, idle_since=None, last_assigned_at=self.now)

    def _explain(self, unmatched: list[tuple[Waiting, Decision]]) -> None:
        """Tell each chat that nobody fits why, once for each set of reasons."""
        known = last_reasons([chat.chat_id for chat, _ in unmatched])
        news = {
            chat.chat_id: decision for chat, decision in unmatched if known.get(chat.chat_id) != reason_codes(decision)
        }
        told: set[UUID] = set()
        for start in range(0, len(news), EXPLAINED_AT_ONCE):
            told |= self._record_nobody(dict(list(news.items())[start : start + EXPLAINED_AT_ONCE]), hot.FREE_CHATS)
        for chat_id in news.keys() - told:  # others have these: each is waited for alone
            self._record_nobody({chat_id: news[chat_id]}, hot.CHATS)

    @transaction.atomic
    def _record_nobody(self, news: dict[UUID, Decision], locking: "Select[Chat]") -> set[UUID]:
        """Returns the chats that were looked at."""
        with wire.together():
            ids = list(news)
            chats = {chat.pk: chat for chat in locking.rows(ids)}
            # Asked again now that the rows are ours.
            known, offered = last_reasons(ids), {chat_id for (chat_id,) in _OFFERED.tuples(ids)}
            changed = [
                chat
                for chat in chats.values()
                if chat.team_id == self.team.pk
                and chat.state in Chat.WAITING
                and chat.pk not in offered
                and known.get(chat.pk) != reason_codes(news[chat.pk])
            ]
            records = [Record(chat, self._nobody(chat, news[chat.pk])) for chat in changed]
            if records:
                store(records, changed=changed)
            return set(chats)

    def _nobody(self, chat: Chat, decision: Decision) -> Event:
        return number(chat, describe(self.team, decision), sender=None, now=self.now)


_OFFERED = PreparedValues(lambda ids: Occupation.objects.filter(chat__in=among(ids)).values_list("chat_id"))


def lock_present(agent_id: UUID, now: datetime) -> Agent:
    """The agent, alone with the slots until the end of the transaction. Raises Outdated for who has gone away since the picture was taken."""
    lock_seats(agent_id)
    presence = _PRESENT.first(agent_id, now + LEAVING)
    if presence is None:
        raise Outdated
    return presence.agent


_WAITING = Prepared(
    lambda chat, team: Chat.objects.filter(pk=chat, team=team, state__in=Chat.WAITING).select_related("team").locked()
)
_OCCUPIED = PreparedValues(lambda chat: Occupation.objects.filter(chat=chat).values_list("pk"))
_PRESENT = Prepared(
    lambda agent, leaving: (
        Presence.objects.leased(leaving)
        .filter(status=Presence.Status.ONLINE, agent=agent, agent__is_active=True)
        .select_related("agent")
    )
)


def lock_center(center_id: UUID) -> None:
    """One decision at a time in a center, until the end of the transaction. On SQLite every transaction is alone anyway."""
    if connection.vendor == "postgresql":
        key = int.from_bytes(center_id.bytes[8:], "big", signed=True)
        if wire.is_usable():
            wire.tell(wire.Asked(_ALONE, [key]))
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


_ALONE = wire.Statement("SELECT pg_advisory_xact_lock(%s::bigint)")
