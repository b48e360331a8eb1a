"""Finding an agent for a chat."""

import threading
from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.search import LEAST_SECONDS, MOST_ATTEMPTS, MOST_SECONDS, begin_search
from chats.actions.transfer import requeue_chat
from chats.doors.throttles import STARTS_BY_CUSTOMER, count
from chats.routing.search import search_agent
from contactcenter import longpoll
from contactcenter.models import Team

from .advice import asks_first
from .asked_chats import Assign
from .callers import SERVER, USER_OR_SERVER
from .chats import show_chat
from .door import Door
from .reach import Reach
from .shapes import agent_short

# Only the default is documented (the most free slots); the other names are guesses. What is not here is the team's own strategy.
ALGORITHMS = {
    "capacity": Team.Strategy.MOST_FREE,
    "default": Team.Strategy.MOST_FREE,
    "mostfree": Team.Strategy.MOST_FREE,
    "mostfreeslots": Team.Strategy.MOST_FREE,
    "slots": Team.Strategy.MOST_FREE,
    "idle": Team.Strategy.LONGEST_IDLE,
    "idletime": Team.Strategy.LONGEST_IDLE,
    "longestidle": Team.Strategy.LONGEST_IDLE,
    "round": Team.Strategy.ROUND_ROBIN,
    "roundrobin": Team.Strategy.ROUND_ROBIN,
}

# Calls that wait for a chats:assign web hook hold a thread for up to five seconds: most threads stay free for everybody else.
slow_places = threading.BoundedSemaphore(3)


class AssignAgent(Door):
    access = {"GET": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        said = self.read(Assign, self.query())
        is_slow = asks_first(self.reach.chat(row_id))
        if is_slow and not slow_places.acquire(blocking=False):
            # The edge asks again in a moment; until then this call holds no thread.
            return longpoll.long_poll(Response({"agent": None}), [], longpoll.LONGEST)
        try:
            return Response({"agent": find_agent(self.reach, row_id, said, self.now)})
        finally:
            if is_slow:
                slow_places.release()


class ToInbox(Door):
    access = {"POST": SERVER}

    def post(self, request: Request, row_id: str) -> Response:
        return Response({"chat": give_back(self.reach, row_id, self.now)})


def find_agent(reach: Reach, chat_id: Any, said: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """The agent whom the chat is offered to, or who has it; None (null: empty in every client's language) when nobody was found.

    `said`: of asked_chats.Assign. A chat that waits in its team's queue is searched for by nobody but the team. Raises NotFound, Closed.
    """
    chat = reach.chat(chat_id)
    if not reach.caller.is_server:
        count(STARTS_BY_CUSTOMER, str(chat.customer_id))
    attempts, interval = said.get("maxAttempts"), said.get("interval")
    begin_search(
        reach.chats(),
        chat.pk,
        strategy=_strategy(said.get("algorithm") or ""),
        invitation_seconds=max(LEAST_SECONDS, min(interval, MOST_SECONDS)) if interval else None,
        attempts=min(attempts, MOST_ATTEMPTS) if attempts else None,
        now=now,
    )
    agent = search_agent(chat.pk, now)
    return agent_short(agent) if agent else None


def give_back(reach: Reach, chat_id: Any, now: datetime) -> dict[str, Any]:
    """Whoever has the chat loses it; it waits, or is searched for, again. Raises NotFound, Closed."""
    chat = reach.chat(chat_id)
    requeue_chat(reach.chats(), chat.pk, reason="returned", now=now)
    return show_chat(reach, reach.chat(chat_id))


def _strategy(algorithm: str) -> str:
    plain = "".join(sign for sign in algorithm.lower() if sign.isalpha())
    return ALGORITHMS.get(plain, "")
