"""Where a chat stands in its room's queue, in the words of queues:update; and web hooks told of it when it has changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from chats.events import Record
from chats.models import Chat, ForeignChat, Webhook
from chats.outbox.filing import file
from chats.routing.estimates import queue_places
from contactcenter.outage import is_outage

from .subscribers import call, hooks_of, wanted

log = structlog.get_logger(__name__)

TRIGGER = "queues:update"
AT_ONCE = 50  # chats whose rows are locked together

Place = tuple[UUID, int, int | None]  # of estimates.queue_places


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


def tell_places(team_id: UUID, now: datetime) -> int:
    """File what has changed in a team's queue since it was told last; how many chats have moved. While nobody listens: one query in two seconds.

    Of two who look at the same moment the later may tell what the earlier saw: the next look puts it right.
    """
    wanting = wanted.registrations(TRIGGER)
    told = dict(_waiting(wanting).filter(chat__team=team_id).values_list("chat_id", "told_position")) if wanting else {}
    if not told:
        return 0
    moved = [one for one in queue_places(team_id, now) if one[0] in told and told[one[0]] != one[1]]
    hooks = hooks_of(wanting, TRIGGER) if moved else []
    return sum(_tell(moved[start : start + AT_ONCE], team_id, hooks, now) for start in range(0, len(moved), AT_ONCE))


def routed(team_id: UUID, now: datetime, **_: Any) -> None:
    """routing.engine.routed: whoever came, went or was passed has changed the others' places."""
    tell_places(team_id, now)


def sweep_places(now: datetime) -> int:
    """The same for every team: what no run of the router was followed by."""
    wanting = wanted.registrations(TRIGGER)
    moved = 0
    for team_id in set(_waiting(wanting).values_list("chat__team", flat=True)) if wanting else ():
        try:
            moved += tell_places(team_id, now)
        except Exception as error:  # the outermost door of this team
            if is_outage(error):
                raise
            log.exception("places were not told", team=str(team_id))
    return moved


def forget_places(records: Iterable[Record], **_: Any) -> None:
    """events.recorded: a chat that comes back to a queue is told its place there, even if it is the one that it had."""
    queued = [one for one in records if one.chat.is_foreign and one.event.type == "chat.queued"]
    back = {one.chat.pk for one in queued if one.event.data["reason"] != "new"}
    if back:
        ForeignChat.objects.filter(chat_id__in=back, told_position__isnull=False).update(told_position=None)


def _waiting(registration_ids: Iterable[UUID]) -> Any:
    return ForeignChat.objects.filter(registration_id__in=registration_ids, chat__state__in=Chat.WAITING)


@transaction.atomic
def _tell(moved: Sequence[Place], team_id: UUID, hooks: Sequence[Webhook], now: datetime) -> int:
    """Those that wait there still and were not told this by somebody else meanwhile."""
    places = {chat_id: (place, wait) for chat_id, place, wait in moved}
    waiting = Chat.objects.filter(pk__in=places, team=team_id, state__in=Chat.WAITING)
    chats = {chat.pk: chat for chat in waiting.locked()}
    rows = list(ForeignChat.objects.filter(chat_id__in=chats))
    news = {row.chat_id: row for row in rows if row.told_position != places[row.chat_id][0]}
    for chat_id, row in news.items():
        row.told_position = places[chat_id][0]
    ForeignChat.objects.bulk_update(news.values(), ["told_position"])
    file(
        [
            call(hook, chat_id, TRIGGER, place_shape(chats[chat_id], *places[chat_id]), now)
            for chat_id in places
            if chat_id in news
            for hook in hooks
            if hook.registration_id == news[chat_id].registration_id
        ]
    )
    return len(news)
