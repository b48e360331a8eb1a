"""Where a chat stands in its room's queue, in the words of queues:update."""

from datetime import datetime
from typing import Any

from chats.models import Chat
from chats.routing.estimates import queue_places


def place_shape(chat: Chat, place: int, wait: int | None) -> dict[str, Any]:
    """`place`: 1 is next, 0 is not in the queue; `wait`: expected seconds, None while nothing is known.

    Their labels read "N people ahead" and show nothing for 0: queuePosition counts who is ahead.
    """
    data = {"queuePosition": max(place - 1, 0), "estimatedWaitingTime": wait}
    return {"chatId": str(chat.pk), "userId": str(chat.customer_id), "data": data}


def current_place(chat: Chat, now: datetime) -> dict[str, Any]:
    """The same for a chat at this moment; one that has an agent, ended or is searched for by its client waits for nobody in a queue."""
    if not chat.is_waiting:
        return place_shape(chat, 0, 0)
    places = {chat_id: (place, wait) for chat_id, place, wait in queue_places(chat.team_id, now)}
    return place_shape(chat, *places.get(chat.pk, (0, None)))
