"""Web hooks as applications register them. Each change stands in the audit log under the application's name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from chats.errors import Gone
from chats.models import Webhook
from contactcenter import audit
from contactcenter.models import Application, Registration

from .hook_rules import check_events, check_room, check_url

CHANGED = ("url", "events", "secret", "facts", "is_active", "verified_at", "disabled_at", "disabled_reason")
UNSAID = frozenset({"secret", "facts"})  # that it changed is noted, not how


@transaction.atomic
def add_webhook(
    application: Application,
    *,
    url: str,
    events: Iterable[str],
    registration: Registration | None = None,
    own: dict[str, Any] | None = None,
    now: datetime,
) -> Webhook:
    """One that hears our words, or with `registration` (of this application) a foreign API's, where it wants so once hands were shaken.

    own: what a foreign API's client brings along: secret, facts.

    Raises Invalid for a wrong address or event, Full past the number of web hooks, Conflict for a second one of ours at the same address.
    """
    url, patterns = check_url(url), check_events(events, registration=registration)
    application = _lock_application(application.pk)
    check_room(application, url=url, registration=registration)
    webhook = Webhook(
        center=application.center,
        application=application,
        registration=registration,
        url=url,
        events=patterns,
        created_at=now,
        **(own or {}),
    )
    webhook.verified_at = None if webhook.shakes_hands else now
    webhook.save(force_insert=True)
    _note("web hook added", webhook, {"url": url, "events": patterns})
    return webhook


@transaction.atomic
def change_webhook(webhook: Webhook, fields: dict[str, Any], now: datetime) -> Webhook:
    """fields: url, events, is_active; of a foreign API's also secret, facts. Raises Invalid, Conflict, Gone."""
    kept = lock_webhook(webhook)
    before = {name: _said(kept, name) for name in fields}
    if "url" in fields:
        _move(kept, check_url(fields["url"]))
    if "events" in fields:
        kept.events = check_events(fields["events"], registration=kept.registration)
    if "is_active" in fields:
        kept.is_active = bool(fields["is_active"])
    for name in UNSAID & set(fields):
        setattr(kept, name, fields[name])
    settle_changes(kept, {name for name, old in before.items() if old != fields[name]})
    kept.save(update_fields=CHANGED)
    changed = {name: old for name, old in before.items() if old != _said(kept, name)}
    changes = {name: "changed" if name in UNSAID else [old, _said(kept, name)] for name, old in changed.items()}
    if changes:
        _note("web hook changed", kept, changes)
    return kept


def settle_changes(webhook: Webhook, changed: Iterable[str]) -> None:
    """What changed fields entail, before the row is saved. Another address, or switching on, ends what the receiver's 410 began."""
    changed = set(changed)
    if webhook.is_active and {"url", "is_active"} & changed:
        webhook.disabled_at, webhook.disabled_reason = None, ""
    if "url" in changed and webhook.shakes_hands:
        webhook.verified_at = None  # a new receiver shakes hands first


@transaction.atomic
def renew_secret(webhook: Webhook, *, now: datetime) -> str:
    """A new secret, shown to nobody again; the old one signs beside it for a day. Raises Gone."""
    kept = lock_webhook(webhook)
    secret = kept.renew_secret(now)
    _note("web hook secret renewed", kept, {})
    return secret


@transaction.atomic
def delete_webhook(webhook: Webhook, *, now: datetime) -> None:
    """Nothing more is filed for it or sent to it; outbox.retention takes the rows. Raises Gone."""
    kept = lock_webhook(webhook)
    end_webhook(kept, now)
    _note("web hook deleted", kept, {})


def end_webhook(webhook: Webhook, now: datetime) -> None:
    """Without a line in the audit log, for a caller who writes it."""
    Webhook.objects.kept().filter(pk=webhook.pk).update(deleted_at=now, is_active=False)


def _move(webhook: Webhook, url: str) -> None:
    if url != webhook.url:
        check_room(webhook.application, url=url, registration=webhook.registration, but=webhook)
        webhook.url = url


def _said(webhook: Webhook, name: str) -> Any:
    """A field as its application sees it: one that its receiver ended is not on, whatever the column says."""
    return webhook.is_on if name == "is_active" else getattr(webhook, name)


def lock_webhook(webhook: Webhook) -> Webhook:
    """The row as it is now, locked after its application, in the caller's transaction. Raises Gone."""
    application = _lock_application(webhook.application_id)
    rows = Webhook.objects.kept().filter(application=application)
    kept = rows.select_for_update(no_key=True).filter(pk=webhook.pk).first()
    if kept is None:
        raise Gone
    return kept


def _lock_application(pk: Any) -> Application:
    return Application.objects.select_for_update(no_key=True).get(pk=pk)


def _note(action: str, webhook: Webhook, changes: dict[str, Any]) -> None:
    actor = f"application {webhook.application.name}"
    audit.note(action, actor=actor, center=webhook.center, subject=webhook, changes=changes)
