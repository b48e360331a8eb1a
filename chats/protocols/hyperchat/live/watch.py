"""What the pulse does for all live clients of the process: who has never logged in, who may not be here any more, who waits at which place."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.utils import timezone

from chats.doors.socketio.engine import Engine
from chats.models import Chat, CustomerSession
from chats.protocols.hyperchat.callers import AGENT_TOKEN_SECONDS, live_registrations, logged_in_agents
from chats.sockets import gather
from contactcenter.models import hash_secret

from .connection import Connection
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
    callers = {one: one.caller for one in connections if one.caller}
    accesses = live_registrations().filter(pk__in={caller.registration.pk for caller in callers.values()})
    live = set(accesses.values_list("pk", flat=True))
    hashes = {one: hash_secret(one.shown.token) for one in callers if one.agent is None}
    sessions = CustomerSession.objects.filter(token_hash__in=hashes.values(), expires_at__gt=now)
    tokens = set(sessions.values_list("token_hash", flat=True))
    seats = _seats({one.agent.pk for one in callers if one.agent})
    return {
        one
        for one, caller in callers.items()
        if caller.registration.pk in live and (hashes[one] in tokens if one.agent is None else _seat_of(one) in seats)
    }


def _seats(agent_ids: set[UUID]) -> set[Any]:
    """(access, agent, version of the person's sessions) of the agents who are logged in."""
    names = ("memberships__team__registration_teams__registration_id", "pk", "user__session_version")
    return set(logged_in_agents().filter(pk__in=agent_ids).values_list(*names)) if agent_ids else set()


def _seat_of(connection: Connection) -> Any:
    agent, caller = connection.agent, connection.caller
    return (caller.registration.pk, agent.pk, agent.user.session_version) if agent and caller else None
