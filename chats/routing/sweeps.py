"""Everything that is due, found in its rows: what no wake-up reached, and what only time brings about.

Each item is a transaction of its own, claimed by its row's lock or a guarded UPDATE, so that two sweeps at the same moment do nothing twice.
One that fails does not stop the others: it is logged, stays due, and the next sweep tries again.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from agents.models import Membership, Presence, Slot
from agents.models.presence import LEAVING
from agents.presence import drop_expired_tickets
from chats.actions.locking import lock_chat
from chats.actions.offer import expire_invitation, withdraw_invitation
from chats.actions.sessions import drop_expired_sessions
from chats.actions.slots import lock_seats, settle_slots
from chats.actions.tend import tend_chat
from chats.actions.transfer import requeue_chat
from chats.actions.welcome import due_welcomes, say_welcome
from chats.due import ask_routing
from chats.models import Chat, Invitation, Occupation, Queue
from contactcenter.models import Team
from contactcenter.outage import is_outage

from .engine import route_team

log = structlog.get_logger(__name__)

MOST = 500  # items of one kind in one sweep; the next comes in two seconds


def sweep(now: datetime) -> int:
    """Do what is due; how many things were done. In this order: what frees chats and slots comes before routing."""
    done = expire_invitations(now)
    done += withdraw_invitations(now)
    done += requeue_chats(now)
    done += tend_chats(now)
    done += say_welcomes(now)
    remind_queues(now)
    return done + route_teams(now)


def tidy(now: datetime) -> None:
    """What nobody misses: sessions and tickets past their time, slots that were retired and are free."""
    drop_expired_tickets(now)
    drop_expired_sessions(now)
    Session.objects.filter(expire_date__lte=now).delete()
    retired = Slot.objects.filter(is_retired=True, occupation=None)
    _each("settle", retired.values_list("agent_id", flat=True).order_by("agent_id").distinct(), settle_seat)


def expire_invitations(now: datetime) -> int:
    """Offers whose time is over go to the next agent."""
    overdue = Invitation.objects.overdue(now).order_by("expires_at").values_list("pk", flat=True)
    return _each("expire", overdue[:MOST], lambda pk: expire_invitation(pk, now=now))


def withdraw_invitations(now: datetime) -> int:
    """Offers to agents who went away, or whose client is no longer seen."""
    gone = ~Q(agent__presence__status=Presence.Status.ONLINE) | _unseen("agent__", now)
    offers = Invitation.objects.pending().filter(gone).values_list("pk", flat=True)
    return _each("withdraw", offers[:MOST], lambda pk: withdraw_invitation(pk, now=now))


def requeue_chats(now: datetime) -> int:
    """Chats whose agent has been gone for longer than the team's grace wait for another one."""
    held = Occupation.objects.filter(_unseen("agent__", now), invitation=None, chat__state=Chat.State.ACTIVE)
    # Most are within their grace: they are passed without a lock.
    seats = held.select_related("agent__presence", "chat__team")
    lost = [occupation.chat_id for occupation in seats if _is_lost(occupation, occupation.chat, now)]
    return _each("requeue", lost[:MOST], lambda pk: requeue_abandoned(pk, now))


@transaction.atomic
def requeue_abandoned(chat_id: UUID, now: datetime) -> bool:
    """Put a chat back into the queue if its agent is gone for too long; False when it is not so (any more)."""
    chat = lock_chat(Chat.objects, chat_id)
    occupation = Occupation.objects.filter(chat=chat, invitation=None).select_related("agent__presence").first()
    if chat.state != Chat.State.ACTIVE or occupation is None or not _is_lost(occupation, chat, now):
        return False
    requeue_chat(Chat.objects, chat_id, reason="agent_gone", now=now)
    return True


def _is_lost(occupation: Occupation, chat: Chat, now: datetime) -> bool:
    if not occupation.agent.is_active:
        return True
    # Who was given a chat while away has as long to come as who left it.
    gone_at: datetime = max(occupation.agent.presence.lease_until or occupation.since, occupation.since)
    return gone_at + timedelta(seconds=chat.team.grace_seconds) <= now


def tend_chats(now: datetime) -> int:
    """Chats at which the team's rules want to look: searches, reminders, closing."""
    due = Chat.objects.due(now).values_list("pk", flat=True)
    return _each("tend", due[:MOST], lambda pk: tend_chat(pk, now=now))


def say_welcomes(now: datetime) -> int:
    """Chats of apps that nobody has answered yet."""
    return _each("welcome", due_welcomes(now)[:MOST], lambda pk: say_welcome(pk, now=now))


def remind_queues(now: datetime) -> None:
    """The safety net: a team that has a waiting chat and a free slot, but whose queue is not due, was forgotten by somebody.

    Two questions: most teams have nobody who waits, and then nobody's slots are looked at.
    """
    waiting = Chat.objects.unsteered().filter(team=OuterRef("pk"), state__in=Chat.WAITING, occupation=None)
    asleep = Team.objects.filter(Exists(waiting), Q(queue=None) | Q(queue__routing_due_at=None))
    team_ids = set(asleep.values_list("pk", flat=True))
    if team_ids:
        team_ids = _able_teams(team_ids, now)
    if team_ids:
        with transaction.atomic():
            ask_routing(team_ids, now)


def _able_teams(team_ids: set[UUID], now: datetime) -> set[UUID]:
    """Those of them that have an agent who is there and has a free slot."""
    free = Slot.objects.filter(agent=OuterRef("agent"), is_retired=False, occupation=None)
    there = Q(agent__presence__status=Presence.Status.ONLINE, agent__presence__lease_until__gt=now + LEAVING)
    able = Membership.objects.filter(there, Exists(free), team__in=team_ids, agent__is_active=True)
    return set(able.values_list("team_id", flat=True))


def route_teams(now: datetime) -> int:
    """Queues that are due."""
    due = Queue.objects.due(now).values_list("team_id", flat=True)
    return _each("route", due[:MOST], lambda pk: route_team(pk, now))


@transaction.atomic
def settle_seat(agent_id: UUID) -> None:
    """After the capacity of a seat has changed."""
    lock_seats(agent_id)
    settle_slots(agent_id)


def _unseen(prefix: str, now: datetime) -> Q:
    """The agent's client is not there, or the seat was taken away."""
    lease = f"{prefix}presence__lease_until"
    return Q(**{f"{lease}__lte": now}) | Q(**{f"{lease}__isnull": True}) | Q(**{f"{prefix}is_active": False})


def _each(kind: str, items: Iterable[Any], do: Callable[[Any], Any]) -> int:
    """Each item for itself. Raises only when the database is away: then the rest would fail as well."""
    done = 0
    for item in list(items):
        try:
            done += bool(do(item))
        except Exception as error:  # the outermost door of this item
            if is_outage(error):
                raise
            log.exception("due work failed", kind=kind, id=str(item))
    return done
