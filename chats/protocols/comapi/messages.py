"""The chat message service: sent, read back in pages and as numbered events, reported as delivered and read.

Pages go backwards from the newest event, or from the event `from`, which is itself included. A page ends with its last message, or with
its thousandth event; `earliestEventId` is the number of the last event that it covers, 0 at the chat's beginning. `orphanedEvents` are
the reports within the page whose message lies on another.

GET …/events gives each event in both forms that are known: {id, data} of the chat's schema, and {eventId, name, payload …} as
conversations have them on the wire. Names are chatMessage.sent, .delivered and .read; `data.name` is the last word of it.
"""

from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.doors.bookkeeping import unless_away
from chats.errors import Invalid
from chats.models import Event, SpaceChat, SpaceLine

from .asked_messages import MOST_ITEMS, EventQuery, MessagePost, MessageQuery, StatusReport
from .door import Door
from .lines import SENT, catch_up, catch_up_to_read
from .message_shapes import CHAT, event_shape, message_shape, orphan_shape, updates_of
from .names import message_id_at
from .participants import Cast
from .posting import say
from .spaces import find_chat
from .status_updates import report

MOST_LINES = 1000  # of one answer


class MessageDoor(Door):
    """A view of one chat's messages, for programs and for the customer's app."""

    allows_apps = True

    def cast(self, chat_id: str) -> Cast:
        """The chat with all its events numbered, and who is who in it."""
        known = find_chat(self.caller, chat_id, self.now)
        catch_up_to_read(known, self.now)
        return Cast.seen_by(self.caller, known)


class Messages(MessageDoor):
    """What is said in a chat."""

    asks = {"POST": MessagePost}
    queries = {"GET": MessageQuery}

    def get(self, request: Request, chat_id: str) -> Response:
        """One page of messages, the newest first."""
        query = self.read_query(MessageQuery)
        cast = self.cast(chat_id)
        return Response(page_of(cast, query.get("from"), query["limit"]))

    def post(self, request: Request, chat_id: str) -> Response:
        """Say something."""
        known = find_chat(self.caller, chat_id, self.now)
        posted = say(self.caller, known, self.read(MessagePost), self.now)
        return Response(receipt(known, posted.position, self.now))


class Events(MessageDoor):
    """All that happened to a chat's messages, in order."""

    queries = {"GET": EventQuery}

    def get(self, request: Request, chat_id: str) -> Response:
        """Events from a number on, the oldest first."""
        query = self.read_query(EventQuery)
        cast = self.cast(chat_id)
        found = cast.known.lines.filter(number__gte=min(query["from"], cast.known.head)).order_by("number")
        return Response(events_of(cast, list(found[: min(query["limit"], MOST_LINES)])))


class StatusUpdates(MessageDoor):
    """Reports of what was delivered and read."""

    asks = {"POST": StatusReport}

    def post(self, request: Request, chat_id: str) -> Response:
        """Report what was delivered and read."""
        known = find_chat(self.caller, chat_id, self.now)
        report(self.caller, known, read_updates(request.data), self.now)
        return Response({})


def read_updates(body: Any) -> list[dict[str, Any]]:
    """A bare array of asked_messages.StatusUpdate. Raises Invalid."""
    if not isinstance(body, list) or len(body) > MOST_ITEMS:
        raise Invalid(fields={"body": f"must be a JSON array of at most {MOST_ITEMS} reports."})
    asked = StatusReport(data=body)
    asked.is_valid(raise_exception=True)
    said: list[dict[str, Any]] = asked.validated_data
    return said


def receipt(known: SpaceChat, position: int, now: datetime) -> dict[str, Any]:
    """{id, eventId} of what was just said at this position of the log."""
    line = line_of(known, position, now)
    return {"id": str(message_id_at(known.chat_id, position)), "eventId": line.number if line else None}


def line_of(known: SpaceChat, position: int, now: datetime) -> SpaceLine | None:
    """Of what was just said. None while nothing can be numbered: it is stored, and who heard of an error would say it again."""
    found: list[SpaceLine] = []
    unless_away(lambda: found.append(catch_up(known, now).lines.get(position=position, kind=SENT)))
    return found[0] if found else None


def page_of(cast: Cast, start: int | None, limit: int) -> dict[str, Any]:
    """MessageResult. A constant number of queries."""
    lines = lines_back(cast.known, start, limit)
    sent = [line for line in lines if line.kind == SENT]
    shown = {line.message_id for line in sent}
    reports = cast.known.lines.filter(message_id__in=shown).exclude(kind=SENT).order_by("number")
    updates = updates_of(reports)
    events = _events(cast.known, sent)
    return {
        "earliestEventId": lines[-1].number if lines else 0,
        "latestEventId": lines[0].number if lines else 0,
        "messages": [
            message_shape(cast, line, events[line.position], updates.get(str(line.message_id), {})) for line in sent
        ],
        "orphanedEvents": [
            orphan_shape(cast, line) for line in lines[::-1] if line.kind != SENT and line.message_id not in shown
        ],
    }


def lines_back(known: SpaceChat, start: int | None, limit: int) -> list[SpaceLine]:
    """The events of one page, newest first."""
    newest = known.head - 1 if start is None else min(start, known.head - 1)
    lines = known.lines.filter(number__lte=newest).order_by("-number")
    last = lines.filter(kind=SENT).values_list("number", flat=True)[limit - 1 : limit].first()
    if last is not None:
        lines = lines.filter(number__gte=last)
    return list(lines[:MOST_LINES])


def events_of(cast: Cast, lines: list[SpaceLine], category: str = CHAT) -> list[dict[str, Any]]:
    """These lines as events, in two queries at most."""
    events = _events(cast.known, [line for line in lines if line.kind == SENT])
    return [event_shape(cast, line, events[line.position] if line.kind == SENT else None, category) for line in lines]


def _events(known: SpaceChat, sent: list[SpaceLine]) -> dict[int, Event]:
    """What was said, by position."""
    found = Event.objects.filter(chat_id=known.chat_id, position__in=[line.position for line in sent])
    return {event.position: event for event in found.select_related("sender__agent__user")}


ROUTES: list[tuple[str, type[Door], str]] = [
    ("chats/{chat_id}/messages", Messages, "messages"),
    ("chats/{chat_id}/events", Events, "events"),
    ("chats/{chat_id}/messages/statusupdates", StatusUpdates, "statusupdates"),
]
