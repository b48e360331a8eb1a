"""Whom an API space's words go to."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chats.models import Webhook
from chats.outbox.filing import Filed, file
from contactcenter.models import ApiSpace, Registration

from .envelopes import Word, envelope, hears


def file_word(registration: Registration, word: Word, chat_id: UUID | None) -> None:
    """File one word for all of the space's web hooks that hear it. The caller is in a transaction, and holds the chat's row if there is one."""
    hooks = [one for one in live_hooks([registration.pk]) if may_hear(one, word.name)]
    if not hooks:
        return
    body = envelope(registration, ApiSpace.of(registration), word)
    file(calls(hooks, body, chat_id))


def calls(hooks: Iterable[Webhook], body: dict[str, Any], chat_id: UUID | None) -> list[Filed]:
    """What is to be filed of one body: a call for each that wants it."""
    return [Filed(one, chat_id, body["name"], body) for one in hooks if hears(one.events, one.facts, body)]


def may_hear(webhook: Webhook, name: str) -> bool:
    """Before its filters are asked."""
    return not {name, "*"}.isdisjoint(webhook.events)


def live_hooks(registration_ids: Iterable[UUID]) -> list[Webhook]:
    """The live web hooks of these spaces, the oldest first; their secrets stay closed."""
    live = Webhook.objects.live().filter(registration_id__in=registration_ids)
    live = live.filter(registration__protocol=Registration.Protocol.COMAPI)
    return list(live.select_related("registration").defer("secret", "old_secret").order_by("created_at", "id"))


def spaces_of(registrations: Iterable[Registration]) -> dict[UUID, ApiSpace]:
    """By registration, in one query where all are there."""
    wanted = {one.pk: one for one in registrations}
    found = {
        one.registration_id: one for one in ApiSpace.objects.filter(registration__in=wanted).defer("shared_secret")
    }
    return {pk: found.get(pk) or ApiSpace.of(one) for pk, one in wanted.items()}
