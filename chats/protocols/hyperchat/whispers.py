"""What is whispered, as HyperChat's web hooks hear it: who writes (users:activity), who has read (messages:read)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chats.doors.aside import aside
from chats.events import Whisper
from chats.models import Chat, Delivery, ForeignChat, Webhook
from chats.outbox.filing import file
from contactcenter.models import Registration

from .shapes import SAID, message_id
from .subscribers import call, hooks_of, wanted

SAME_AGAIN = 10.0  # seconds in which the same word about the same user's writing is told once
MOST_REMEMBERED = 10_000


def hear(chat_id: UUID, whisper: Whisper, **_: Any) -> None:
    """events.whispered; in every thread, also on the event loop."""
    if whisper.kind in WORDS:
        aside.do(file_whisper, chat_id, whisper, timezone.now())


def file_whisper(chat_id: UUID, whisper: Whisper, now: datetime) -> None:
    """File it for those who want it. While nobody does: one query in two seconds, for all chats."""
    trigger, shape = WORDS[whisper.kind]
    wanting = wanted.registrations(trigger)
    registration_id = registration_of(chat_id) if wanting else None
    if registration_id is None or registration_id not in wanting:
        return
    is_typing = whisper.kind == "typing"
    if is_typing and not typed.is_news(chat_id, whisper.data["sender"]["id"], active=whisper.data["active"]):
        return
    with transaction.atomic():
        chat = Chat.objects.filter(pk=chat_id).locked().first()
        data = shape(chat, whisper.data) if chat else None
        if data:
            hooks = [
                hook for hook in hooks_of([registration_id], trigger) if not (is_typing and _is_behind(hook, chat_id))
            ]
            file([call(hook, chat_id, trigger, {"chatId": str(chat_id), **data}, now) for hook in hooks])


@lru_cache(maxsize=MOST_REMEMBERED)
def registration_of(chat_id: UUID) -> UUID | None:
    """Whose client began the chat, which never changes; None for chats of other doors."""
    ours = ForeignChat.objects.filter(registration__protocol=Registration.Protocol.HYPERCHAT)
    return ours.filter(chat_id=chat_id).values_list("registration_id", flat=True).first()


class Typed:
    """Who was told to be writing lately: whoever holds a key down is told of once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._told: OrderedDict[tuple[UUID, str], tuple[bool, float]] = OrderedDict()

    def is_news(self, chat_id: UUID, sender: str, *, active: bool) -> bool:
        """Whether this differs from what was told last, or that is long ago; remembered as told."""
        key, now = (chat_id, sender), self.clock()
        with self._lock:
            was, at = self._told.get(key, (None, 0.0))
            if was == active and now - at < SAME_AGAIN:
                return False
            self._told[key] = active, now
            self._told.move_to_end(key)
            if len(self._told) > MOST_REMEMBERED:
                self._told.popitem(last=False)
            return True

    def forget(self) -> None:
        with self._lock:
            self._told.clear()


typed = Typed()


def _activity(chat: Chat, said: dict[str, Any]) -> dict[str, Any] | None:
    """`said`: of actions.show. Nothing in a chat that has ended."""
    sender = said["sender"]
    if not chat.is_open:
        return None
    user_id: UUID | None = chat.customer_id
    if sender["kind"] != "customer":
        user_id = chat.participants.filter(pk=sender["id"]).values_list("agent_id", flat=True).first()
    return {"userId": str(user_id), "type": "writing" if said["active"] else "not-writing"} if user_id else None


def _read(chat: Chat, said: dict[str, Any]) -> dict[str, Any] | None:
    """`said`: of actions.read, which names a number up to which was read; here it is the last message by then."""
    user_id = chat.customer_id if said["kind"] == "customer" else chat.agent_id
    read = (
        chat.events.filter(type__in=SAID, index__lte=said["index"]).order_by("-index").values_list("index", flat=True)
    )
    index = read.first()
    if user_id is None or index is None:
        return None
    return {"messageId": message_id(chat.pk, index), "userId": str(user_id)}


def _is_behind(hook: Webhook, chat_id: UUID) -> bool:
    """Calls about this chat fail at the moment: by the time they arrive, nobody writes any more."""
    return Delivery.objects.pending().filter(webhook=hook, chat_id=chat_id, attempts_made__gt=0).exists()


Shape = Callable[[Chat, dict[str, Any]], dict[str, Any] | None]
WORDS: dict[str, tuple[str, Shape]] = {"typing": ("users:activity", _activity), "read": ("messages:read", _read)}
