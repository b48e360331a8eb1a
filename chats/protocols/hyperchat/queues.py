"""Queues: how long the lines of the rooms are, and where one chat stands."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.models import Chat
from chats.routing.availability import count_available, is_anybody_online
from chats.routing.estimates import queue_places
from contactcenter.models import Team

from .callers import SERVER, USER_OR_SERVER
from .door import Door
from .places import current_place


class QueueStatus(Door):
    access = {"GET": SERVER}

    def get(self, request: Request) -> Response:
        """Of each room: who waits in its line, whoever began the chat, and who is there."""
        rooms = [{"room": room, **self._line(team)} for room, team in self.caller.rooms.items()]
        return Response({"queue": {"active": self.caller.registration.uses_queue, "rooms": rooms}})

    def _line(self, team: Team) -> dict[str, Any]:
        waiting = Chat.objects.waiting().unsteered().filter(team=team)
        places = queue_places(team.pk, self.now)
        return {
            "waiting": waiting.count(),
            "estimatedWaitingTime": places[-1][2] if places else 0,  # of the last in line
            "agentsAvailable": count_available(team, now=self.now),
            "agentsOnline": is_anybody_online(team, now=self.now),
        }


class QueueUpdate(Door):
    access = {"GET": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> Response:
        """What queues:update said last, were it said now."""
        return Response(current_place(self.reach.chat(row_id), self.now))
