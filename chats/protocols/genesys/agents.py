"""What agents' programs ask, below /api/v2/me: the agent, the agent's chats, one of them, its messages. Proven by HTTP Basic.

There are no push notifications here: a program polls the list and the messages (?wait=seconds holds an empty answer back).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent, Presence
from agents.presence import AGENT_LEASE, end_lease, set_status, sign_in
from chats.doors.bookkeeping import unless_away
from chats.doors.origins import check_origin
from chats.errors import Invalid
from chats.models import Occupation
from contactcenter import longpoll

from .agent_operations import NOT_HERE, OPERATIONS, Call, run
from .agent_reach import find_place, open_chats, place_in
from .agent_shapes import channel_shape, chat_shape, messages, user_shape
from .callers import find_seat, live_registrations
from .cursors import MOST_LINES, asked_index
from .customer import asked_seconds, check_operation
from .door import Door

MOST_CHATS = 100
# A program that calls each second need not renew its lease each time.
LEASE_AGES = timedelta(seconds=10)


class AgentDoor(Door):
    """The caller is an agent; each call is a sign of life."""

    seat: Agent

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "OPTIONS":
            return
        self.seat = find_seat(request)
        registrations = live_registrations().filter(center_id=self.seat.center_id).select_related("application")
        self.known_origins = [origin for one in registrations for origin in one.application.allowed_origins]
        check_origin(request, self.known_origins)
        give_sign_of_life(self.seat, self.now)

    @property
    def base(self) -> str:
        return f"{self.request.scheme}://{self.request.get_host()}"

    def page(self, *, first: int, most: int) -> tuple[int, int]:
        """startIndex and count of the query; `first` is the number of the first. Raises Invalid."""
        query = self.request.query_params
        start, count = asked_index(query.get("startIndex")), asked_index(query.get("count"))
        for name, value in (("startIndex", start), ("count", count)):
            if value is not None and value < 0:
                raise Invalid(fields={name: "This must be a number, 0 or more."})
        return max(start or 0, first), most if count is None else min(count, most)


class Me(AgentDoor):
    """GET: who calls. POST: begin or end to be there for chats."""

    def get(self, request: Request) -> Response:
        user = user_shape(self.seat, self.base)
        if request.query_params.get("subresources"):
            user["channels"] = [self._channel()]
        return self.ok(user=user)

    def post(self, request: Request) -> Response:
        self.OPERATIONS[check_operation(self.body(), self.OPERATIONS)](self)
        return self.ok()

    def _channel(self) -> dict[str, Any]:
        used = Occupation.objects.filter(agent=self.seat).count()
        presence = Presence.objects.filter(agent=self.seat).first()
        return channel_shape(self.seat, presence, used=used, now=self.now)

    def _begin(self) -> None:
        """Chats are the one channel, whatever `channels` names."""
        sign_in(self.seat, self.now)
        set_status(self.seat, Presence.Status.ONLINE, self.now)

    def _end(self) -> None:
        set_status(self.seat, Presence.Status.OFFLINE, self.now)
        end_lease(self.seat, self.now)

    OPERATIONS: ClassVar[dict[str, Callable[..., None]]] = {
        "StartContactCenterSession": _begin,
        "EndContactCenterSession": _end,
    }


class MyChats(AgentDoor):
    """GET: chats on offer, held and visited; startIndex counts from 0."""

    def get(self, request: Request) -> Response:
        start, count = self.page(first=0, most=MOST_CHATS)
        chats = open_chats(self.seat)[start : start + count]
        return self.ok(chats=[chat_shape(place_in(chat, self.seat), self.base) for chat in chats])


class MyChat(AgentDoor):
    """GET: one of them. POST: one operation in it."""

    def get(self, request: Request, chat_id: str) -> Response:
        return self.ok(chat=chat_shape(find_place(self.seat, chat_id), self.base))

    def post(self, request: Request, chat_id: str) -> Response:
        body = self.body()
        name = check_operation(body, {*OPERATIONS, *NOT_HERE})
        run(name, Call(find_place(self.seat, chat_id), body, self.now))
        return self.ok()


class MyMessages(AgentDoor):
    """GET: messages from startIndex on (1 is the first)."""

    def get(self, request: Request, chat_id: str) -> Response:
        start, count = self.page(first=1, most=MOST_LINES)
        chat = find_place(self.seat, chat_id).chat
        found = messages(chat, start, count)
        response = self.ok(messages=found)
        seconds = asked_seconds(request.query_params.get("wait"))
        if seconds and count and not found and chat.is_open:
            return longpoll.long_poll(response, [f"staff:{chat.pk}"], seconds)
        return response


def give_sign_of_life(seat: Agent, now: datetime) -> None:
    """Whoever calls is there; an agent who is signed off stays so."""
    fresh = Presence.objects.filter(agent=seat, lease_until__gt=now + AGENT_LEASE - LEASE_AGES)
    if not fresh.exists():
        unless_away(partial(sign_in, seat, now))
