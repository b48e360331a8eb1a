"""How fast a queue moves: the measure behind expected waits."""

from datetime import datetime
from uuid import UUID

from chats.models import Queue, hot
from contactcenter.prepared import Prepared

WEIGHT = 0.2  # of the newest interval in the moving average


def note_moved(team_id: UUID, queued_at: datetime | None, now: datetime) -> None:
    """A chat that waited since `queued_at` has found its agent. The caller has locked the queue (ask_routing), so nothing is lost between reading and writing."""
    queue = _QUEUE.first(team_id)
    if queue is None or queued_at is None:
        return
    queue.seconds_per_chat = next_pace(queue.seconds_per_chat, queue.moved_at, queued_at, now)
    queue.moved_at = now
    hot.save_pace(queue)


_QUEUE = Prepared(lambda team: Queue.objects.filter(team=team))


def next_pace(known: float | None, moved_at: datetime | None, queued_at: datetime, now: datetime) -> float | None:
    """The moving average in seconds, or None while nothing is known.

    Only time in which somebody waited counts: the chat stood in the queue already when the last one left it.
    Otherwise the interval would measure how seldom customers come, not how long agents take.
    """
    if moved_at is None or queued_at > moved_at:
        return known
    seconds = max((now - moved_at).total_seconds(), 0.0)
    return seconds if known is None else (1 - WEIGHT) * known + WEIGHT * seconds
