"""What the pulse does for all live clients of the process: who has never logged in, who may not be here any more, who waits at which place."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.utils import timezone

from agents.models import Agent
from chats.models import Chat, CustomerSession
from chats.protocols.hyperchat.callers import AGENT_TOKEN_SECONDS, live_registrations
from chats.sockets import gather
from contactcenter.models import hash_secret

from .connection import Connection
from .engine import Engine
from .threads import in_thread

LOGIN_SECONDS = 10.0


class Watch:
    """Steps of the pulse. `connections`: the process's, by id."""

    def __init__(self, engine: Engine, connections: dict[str, Connection]) -> None:
        self.engine = engine
        self._connections = connections
        self._first_seen: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    @property
    def connections(self) -> list[Connection]:
        return list(self._connections.values())

    async def end_strangers(self) -> None:
        """Whose session holds no user ten seconds after it began goes; an agent's log-in ends after its hours."""
        now = asyncio.get_running_loop().time()
        known = {self.engine.session_of(one.sid) for one in self.connections if one.user_id}
        for session_id, session in list(self.engine.sessions.items()):
            since = self._first_seen.setdefault(session, now)
            if session_id not in known and now - since > LOGIN_SECONDS:
                await self.engine.end(session_id)
        for connection in self.connections:
            is_over = connection.agent and now - connection.logged_in_at > AGENT_TOKEN_SECONDS
            if is_over or self.engine.session_of(connection.sid) not in self.engine.sessions:
                connection.end(code="unauthorized")

    async def check_users(self) -> None:
        """Whose session has ended, whose application was switched off: in one look for all."""
        connections = [one for one in self.connections if one.user_id]
        if not connections:
            return
        living = await in_thread(find_living, connections, timezone.now())
        for connection in connections:
            if connection not in living:
                connection.end(code="unauthorized")

    async def look_at_offers(self) -> None:
        for connection in self.connections:
            if connection.offers:
                connection.offers.look()

    async def show_places(self) -> None:
        """queues:update, where a chat's place has changed."""
        followings = [
            following
            for connection in self.connections
            if connection.caller and connection.caller.registration.uses_queue
            for following in connection.followed.values()
            if following.is_queued
        ]
        if not followings:
            return
        teams = await in_thread(find_teams, {following.chat.pk for following in followings})
        places = {team_id: await gather.places.get(team_id) or {} for team_id in set(teams.values())}
        for following in followings:
            if team_id := teams.get(following.chat.pk):
                following.tell_place(places[team_id].get(following.chat.pk))


def find_teams(chat_ids: set[UUID]) -> dict[UUID, UUID]:
    """In whose queues the chats wait now: they may have been passed on."""
    return dict(Chat.objects.filter(pk__in=chat_ids, state=Chat.State.QUEUED).values_list("pk", "team_id"))


def find_living(connections: Iterable[Connection], now: datetime) -> set[Connection]:
    """Those whose access, and whose session or seat, still holds: three queries for any number."""
    callers = {connection: connection.caller for connection in connections if connection.caller}
    accesses = live_registrations().filter(pk__in={caller.registration.pk for caller in callers.values()})
    live = set(accesses.values_list("pk", flat=True))
    hashes = {one: hash_secret(one.shown.token) for one in callers if one.agent is None}
    sessions = CustomerSession.objects.filter(token_hash__in=hashes.values(), expires_at__gt=now)
    tokens = set(sessions.values_list("token_hash", flat=True))
    seats = Agent.objects.active().filter(pk__in={one.agent.pk for one in callers if one.agent})
    versions = dict(seats.values_list("pk", "user__session_version"))
    return {
        one
        for one, caller in callers.items()
        if caller.registration.pk in live
        and (
            hashes[one] in tokens if one.agent is None else one.agent.user.session_version == versions.get(one.agent.pk)
        )
    }
