"""What the pulse does for all apps of the process: whose session has ended, whose chats have moved without being announced, who is there."""

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from django.utils import timezone

from chats.actions.app_sessions import mark_seen
from chats.live import hub
from chats.sockets.base import Socket
from chats.sockets.pulse import pulse
from chats.sockets.threads import in_shared_thread

from .looking import prints
from .socket import AppSocket

SEEN_EVERY = 30.0  # seconds


class Watch:
    def __init__(self) -> None:
        self.marked_at: dict[UUID, float] = {}

    @property
    def sockets(self) -> list[AppSocket]:
        return [one for one in Socket.everyone if isinstance(one, AppSocket) and one.is_welcome]

    async def look_at_apps(self) -> None:
        sockets = self.sockets
        if not sockets:
            return
        before = {one: one.known for one in sockets}
        found = await in_shared_thread(prints, {one.seat.session.pk for one in sockets}, timezone.now())
        for one in sockets:
            seen = found.get(one.seat.session.pk)
            if seen is None:
                one.revoke()
            # What a look has found meanwhile is newer than this.
            elif one.known is before[one] and seen != one.known.seen:
                hub.counters["healed"] += 1
                one.look_soon()

    async def mark_apps(self) -> None:
        """Presence and push want to know who is there."""
        there = {one.seat.session.pk: one.loop.time() for one in self.sockets}
        due = [pk for pk, now in there.items() if now - self.marked_at.setdefault(pk, now) >= SEEN_EVERY]
        self.marked_at = {pk: there[pk] if pk in due else at for pk, at in self.marked_at.items() if pk in there}
        if due:
            await in_shared_thread(_mark, due)


def _mark(session_ids: list[UUID]) -> None:
    now = timezone.now()
    for session_id in session_ids:
        mark_seen(session_id, now)


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Entered by the server's lifespan, within the pulse's."""
    watch = Watch()
    steps = [watch.look_at_apps, watch.mark_apps]
    pulse.beats.extend(steps)
    try:
        yield
    finally:
        for step in steps:
            pulse.beats.remove(step)
