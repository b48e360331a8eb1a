"""Where a customer stands in the queue, and how long it may take."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agents.models import Presence, Slot
from agents.models.presence import LEAVING
from chats.models import Chat, Queue

MOST_CHATS = 1000


def queue_places(team_id: UUID, now: datetime | None = None) -> list[tuple[UUID, int, int | None]]:
    """(chat, position, expected wait in seconds) of every chat that waits in the team's queue, the next one first. Position 1 is next; the wait is None while nothing is known."""
    now = now or timezone.now()
    chats = Chat.objects.waiting().unsteered().filter(team_id=team_id)
    rows = list(chats.values_list("pk", "occupation", "queued_at")[:MOST_CHATS])
    if not rows:
        return []
    pace = _pace(team_id, min((queued_at for _, _, queued_at in rows if queued_at), default=now), now)
    waits = expected_waits([offer is not None for _, offer, _ in rows], free=_free_slots(team_id, now), pace=pace)
    return [(row[0], place, wait) for place, (row, wait) in enumerate(zip(rows, waits, strict=True), start=1)]


def expected_waits(offered: Sequence[bool], *, free: int, pace: float | None) -> list[int | None]:
    """Seconds for each chat of a queue in its order. `offered`: it rings at somebody's; `pace`: seconds until one place moves on.

    Who is on offer, or finds a slot free, waits no longer than one look of the router; the others wait for their turn among those who are left.
    """
    waits: list[int | None] = []
    ahead = -free
    for is_offered in offered:
        ahead += not is_offered
        if is_offered or ahead <= 0:
            waits.append(0)
        else:
            waits.append(None if pace is None else round(ahead * pace))
    return waits


def _pace(team_id: UUID, oldest_at: datetime, now: datetime) -> float | None:
    """The moving average, or the time that somebody has waited by now without any move if that is longer."""
    queue = Queue.objects.filter(team_id=team_id).first()
    if queue is None or queue.seconds_per_chat is None or queue.moved_at is None:
        return None
    return max(queue.seconds_per_chat, (now - max(queue.moved_at, oldest_at)).total_seconds())


def _free_slots(team_id: UUID, now: datetime) -> int:
    """Slots of the team's available agents in which nothing sits."""
    there = Q(agent__presence__status=Presence.Status.ONLINE, agent__presence__lease_until__gt=now + LEAVING)
    slots = Slot.objects.filter(there, agent__memberships__team_id=team_id, agent__is_active=True)
    return slots.filter(is_retired=False, occupation=None).count()
