"""Which web hooks hear HyperChat's words, and the body of a call: {trigger, appId, data, created_at}."""

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from chats.models import Webhook
from chats.outbox.filing import Filed
from contactcenter.models import Registration

ALL = "*"
SECONDS = 2.0  # for which is remembered who wants what


def hears(webhook: Webhook, trigger: str) -> bool:
    return not {trigger, ALL}.isdisjoint(webhook.events)


def call(webhook: Webhook, chat_id: UUID, trigger: str, data: dict[str, Any], at: datetime) -> Filed:
    """A call to file. `at`: when it happened; the same in every attempt."""
    return Filed(webhook, chat_id, trigger, body_of(webhook, trigger, data, at))


def body_of(webhook: Webhook, trigger: str, data: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The whole body. The web hook has a registration."""
    assert webhook.registration is not None  # noqa: S101 - the caller has looked
    return {
        "trigger": trigger,
        "appId": webhook.registration.foreign_id,
        "data": data,
        "created_at": int(at.timestamp()),
    }


def hooks_of(registration_ids: Iterable[UUID], trigger: str) -> list[Webhook]:
    """The live web hooks of these registrations that hear the trigger, the oldest first; their secrets stay closed until they are asked for."""
    live = _live().filter(registration_id__in=registration_ids).select_related("registration")
    hooks = live.defer("secret", "old_secret").order_by("created_at", "id")
    return [webhook for webhook in hooks if hears(webhook, trigger)]


class Wanted:
    """Who wants what, remembered for a moment: what happens several times a second asks here first."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._known: tuple[dict[str, frozenset[UUID]], float] = {}, 0.0

    def registrations(self, trigger: str) -> frozenset[UUID]:
        """Those with a live web hook that hears it, as of a moment ago. One query at most."""
        known, until = self._known
        if time.monotonic() >= until:
            known = _load()
            self._known = known, time.monotonic() + self.seconds
        return known.get(trigger, frozenset()) | known.get(ALL, frozenset())

    def forget(self) -> None:
        """After a change of this process' own."""
        self._known = {}, 0.0


wanted = Wanted()


def _load() -> dict[str, frozenset[UUID]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    for registration_id, events in _live().values_list("registration_id", "events"):
        for trigger in events:
            found[trigger].add(registration_id)
    return {trigger: frozenset(ids) for trigger, ids in found.items()}


def _live() -> Any:
    ours = Webhook.objects.live().filter(registration__protocol=Registration.Protocol.HYPERCHAT)
    return ours.filter(registration__is_active=True)
