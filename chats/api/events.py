"""The log by REST: pages after or before a cursor, and an answer that waits for what is new."""

from functools import partial
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.read import mark_delivered
from chats.doors.bookkeeping import unless_away
from chats.doors.life import give_sign_of_life
from chats.models import Chat, Event
from chats.routing.estimates import queue_places
from chats.shapes import event_for_customer, event_for_staff
from contactcenter import longpoll

from . import asked, shown
from .chats import EVERYBODY
from .door import Door, read
from .principals import CustomerCaller
from .render import chat_for, find_at_epoch
from .schema import described


class Events(Door):
    """Customers count by `index`, staff by `position`. An answer to `wait` that holds nothing is held back by the edge (contactcenter.longpoll)."""

    callers = {"GET": EVERYBODY}
    open_to_pages = True

    @described("The chat's log after (or before) a cursor", query=asked.EventsQuery, gives=shown.Events)
    def get(self, request: Request, chat_id: UUID) -> Response:
        query = read(asked.EventsQuery, request.query_params)
        is_customer = isinstance(self.caller, CustomerCaller)
        chat, epoch = find_at_epoch(self.caller, chat_id)
        if is_customer and not longpoll.is_repeat(request):
            _give_sign_of_life(chat, query.get("after", 0), self.now)
        events = _read_log(chat, query, number="index" if is_customer else "position")
        answer = events_answer(
            [event_for_customer(event) if is_customer else event_for_staff(event) for event in events],
            chat.index if is_customer else chat.position,
            epoch,
            chat_for(self.caller, chat, self.now),
        )
        if is_customer:
            answer["queue"] = _place(chat, self.now)
        response = Response(answer)
        # A cursor beyond the head is one of another epoch: its owner must hear at once that it has to start afresh.
        is_news = bool(events) or query.get("after", 0) > answer["head"] or not chat.is_open
        if query["wait"] and "before" not in query and not is_news:
            topic = f"{'customer' if is_customer else 'staff'}:{chat_id}"
            longpoll.long_poll(response, [topic], query["wait"])
        return response


def events_answer(events: list[dict[str, Any]], head: int, epoch: str, chat: dict[str, Any]) -> dict[str, Any]:
    """`head`: of the numbers that the caller counts by. Customers are told their place in the queue, too."""
    return {"events": events, "head": head, "epoch": epoch, "chat": chat}


def _read_log(chat: Chat, query: dict[str, Any], *, number: str) -> list[Event]:
    """In order. `before` gives the last ones before it, `after` the first ones after it."""
    is_before = "before" in query
    if not is_before and query.get("after", 0) >= getattr(chat, number):
        return []  # most polls; what was said since the chat was read is the next one's
    events = Event.objects.filter(chat=chat)
    if number == "index":
        events = events.public()
    if is_before:
        earlier = events.filter(**{f"{number}__lt": query["before"], f"{number}__gt": query.get("after", 0)})
        return list(earlier.order_by(f"-{number}")[: query["limit"]])[::-1]
    return list(events.filter(**{f"{number}__gt": query.get("after", 0)}).order_by(number)[: query["limit"]])


def _give_sign_of_life(chat: Chat, after: int, now: Any) -> None:
    """Who polls is there, and holds everything up to the cursor."""
    if not chat.is_open:
        return
    give_sign_of_life(chat.customer_part, now)
    if after > chat.customer_part.delivered_index:
        unless_away(partial(mark_delivered, chat.customer_part, after))


def _place(chat: Chat, now: Any) -> dict[str, Any] | None:
    if not chat.is_waiting:
        return None
    for chat_id, position, wait_seconds in queue_places(chat.team_id, now):
        if chat_id == chat.pk:
            return place_shape(position, wait_seconds)
    return None


def place_shape(position: int, wait_seconds: int | None) -> dict[str, Any]:
    return {"position": position, "wait_seconds": wait_seconds}
