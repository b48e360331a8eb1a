"""Whether somebody is there: asked before a chat begins, since one that nobody can take is lost to its customer."""

from rest_framework.request import Request
from rest_framework.response import Response

from chats.routing.availability import count_available, is_anybody_online

from . import asked_users as asked
from .callers import PUBLIC
from .door import Door


class Available(Door):
    access = {"GET": PUBLIC}

    def get(self, request: Request) -> Response:
        """{agents: {room: how many could take a chat now}} for the rooms of `roomIds`, or for all: an object even when it is empty."""
        query = self.read(asked.RoomsQuery, self.query())
        rooms = self.caller.rooms
        free = {
            room: count_available(rooms[room], query["langs"], now=self.now)
            for room in (rooms if query["rooms"] is None else query["rooms"])
            if room in rooms
        }
        return Response({"agents": dict.fromkeys(query["rooms"] or (), 0) | free})


class Online(Door):
    access = {"GET": PUBLIC}

    def get(self, request: Request) -> Response:
        """{agentsOnline}: somebody of the room `roomId` (of any room, where none is named) is there, busy or not."""
        query = self.read(asked.RoomsQuery, self.query())
        rooms = self.caller.rooms
        teams = [rooms[room] for room in (rooms if query["rooms"] is None else query["rooms"]) if room in rooms]
        return Response({"agentsOnline": any(is_anybody_online(team, query["langs"], now=self.now) for team in teams)})
