"""What the pulse does for all live clients of the process: who never joins, who may not be here any more, whose lease goes on, who waits for nobody."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.utils import timezone

from chats.actions.read import renew_leases
from chats.actions.start import CUSTOMER_LEASE
from chats.doors.socketio.engine import Engine
from chats.models import Chat
from chats.protocols.expertflow.callers import live_registrations
from chats.routing.availability import is_anybody_online
from contactcenter.models import Registration

from .connection import Connection
from .following import Following
from .threads import in_thread

JOIN_SECONDS = 30.0
LEASE_EVERY = 10.0
LOOK_EVERY = 3.0  # whether somebody is there for those who wait


class Watch:
    """Steps of the pulse. `connections`: the process's, by id."""

    def __init__(self, engine: Engine, connections: dict[str, Connection]) -> None:
        self.engine = engine
        self._connections = connections
        self._first_seen: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self.leased_at = self.looked_at = -LEASE_EVERY

    @property
    def connections(self) -> list[Connection]:
        return list(self._connections.values())

    def followings(self) -> list[Following]:
        return [following for one in self.connections for following in one.joined.values()]

    async def end_strangers(self) -> None:
        """Whose session has joined nothing and is no connector's thirty seconds after it began goes."""
        now = asyncio.get_running_loop().time()
        known = {self.engine.session_of(one.sid) for one in self.connections if one.joined or one.feeds}
        for session_id, session in list(self.engine.sessions.items()):
            since = self._first_seen.setdefault(session, now)
            if session_id not in known and now - since > JOIN_SECONDS:
                await self.engine.end(session_id)
        for connection in self.connections:
            if self.engine.session_of(connection.sid) not in self.engine.sessions:
                connection.end(code="gone")

    async def check_access(self) -> None:
        """Whose access, application or center was switched off, whose secret is no longer the one: in one look for all."""
        accesses = {one: set(accesses_of(one)) for one in self.connections}
        wanted = set[UUID]().union(*accesses.values())
        if not wanted:
            return
        living = await in_thread(find_secrets, wanted)
        for connection, needed in accesses.items():
            if not living.keys() >= needed or not _is_still_proven(connection, living):
                connection.end(code="unauthorized")

    async def renew_leases(self) -> None:
        """Customers whose gadgets are here: one statement for all of them."""
        clock = asyncio.get_running_loop().time()
        leased = {following.participant.pk for following in self.followings() if following.has_lease}
        if leased and clock - self.leased_at >= LEASE_EVERY:
            self.leased_at = clock
            await in_thread(_renew, leased, timezone.now())

    async def look_at_feeds(self) -> None:
        for connection in self.connections:
            for feed in list(connection.feeds.values()):
                feed.look()

    async def tell_lonely(self) -> None:
        """noAgentAvailable, where a chat waits and nobody is there for it."""
        clock = asyncio.get_running_loop().time()
        waiting = [one for one in self.followings() if one.reader and one.is_waiting and not one.knows_nobody]
        if not waiting or clock - self.looked_at < LOOK_EVERY:
            return
        self.looked_at = clock
        lonely = await in_thread(find_lonely, {one.chat_id for one in waiting}, timezone.now())
        for following in waiting:
            if following.chat_id in lonely and following.is_waiting and not following.knows_nobody:
                following.tell_nobody()


def accesses_of(connection: Connection) -> Iterable[UUID]:
    """By which it is here, and those of the conversations that it has joined."""
    if connection.caller:
        yield connection.caller.registration.pk
    for following in connection.joined.values():
        yield following.registration_id


def find_secrets(registration_ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """Of those that are live: their own secret's fingerprint and their application's."""
    live = live_registrations().filter(pk__in=registration_ids)
    return {registration.pk: _secrets(registration) for registration in live}


def find_lonely(chat_ids: set[UUID], now: datetime) -> set[UUID]:
    """Those of the chats that still wait, and for which nobody is there, busy or not. Asked once for each team and language."""
    waiting = Chat.objects.waiting().filter(pk__in=chat_ids).select_related("team")
    found: dict[tuple[UUID, str], bool] = {}
    lonely: set[UUID] = set()
    for chat in waiting:
        key = (chat.team_id, chat.language)
        if key not in found:
            found[key] = is_anybody_online(chat.team, [chat.language] if chat.language else (), now=now)
        if not found[key]:
            lonely.add(chat.pk)
    return lonely


def _is_still_proven(connection: Connection, living: dict[UUID, tuple[str, str]]) -> bool:
    caller = connection.caller
    if caller is None or not caller.is_proven:
        return True
    return living[caller.registration.pk] == _secrets(caller.registration)


def _secrets(registration: Registration) -> tuple[str, str]:
    return registration.secret_hash, registration.application.secret_hash


def _renew(participants: set[UUID], now: datetime) -> None:
    renew_leases(participants, until=now + CUSTOMER_LEASE)
