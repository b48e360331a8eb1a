"""Events in our own words, as docs/webhooks.md shows them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chats.models import Chat, Event, Webhook
from chats.shapes import event_for_staff, stamp
from contactcenter.models import Registration

from .filing import Filed, Record

# What the chat's row does not hold itself: one query for all chats of a batch.
NAMES = (
    "center__slug",
    "team__key",
    "team__name",
    "channel__kind",
    "channel__name",
    "customer__external_id",
    "foreign__external_id",
    "foreign__registration__protocol",
)


def speak(webhooks: Sequence[Webhook], records: Sequence[Record], /) -> list[Filed]:
    """The records that each web hook asked for: its events, of its application's teams."""
    wanted = [(webhook, record) for record in records for webhook in webhooks if is_wanted(webhook, record)]
    names = _names_of({record.chat.pk for _, record in wanted}) if wanted else {}
    bodies: dict[tuple[UUID, int], dict[str, Any]] = {}
    filed = []
    for webhook, record in wanted:
        key = (record.chat.pk, record.event.position)
        if key not in bodies:
            bodies[key] = body_of(record.chat, record.event, names[record.chat.pk])
        filed.append(Filed(webhook, record.chat.pk, record.event.type, bodies[key]))
    return filed


def is_wanted(webhook: Webhook, record: Record) -> bool:
    """Whether it asked for this event, and its application may know the chat's team."""
    if webhook.center_id != record.chat.center_id:
        return False
    teams = {team.team_id for team in webhook.application.application_teams.all()}
    return fits(webhook.events, record.event.type) and (not teams or record.chat.team_id in teams)


def fits(patterns: Iterable[str], event: str) -> bool:
    """`message.posted` fits itself, `message.*` and `*`."""
    return not {event, f"{event.partition('.')[0]}.*", "*"}.isdisjoint(patterns)


def body_of(chat: Chat, event: Event, names: dict[str, Any]) -> dict[str, Any]:
    """{type, timestamp, data: {center, chat, event}}: the chat as it was with this event, the event as staff see it."""
    return {
        "type": event.type,
        "timestamp": stamp(event.at),
        "data": {
            "center": names["center__slug"],
            "chat": _chat_shape(chat, names),
            "event": event_for_staff(event),
        },
    }


def _chat_shape(chat: Chat, names: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(chat.pk),
        "state": str(chat.state),
        "subject": chat.subject,
        "language": chat.language,
        "team": {"id": str(chat.team_id), "key": names["team__key"], "name": names["team__name"]},
        "channel": {"id": str(chat.channel_id), "kind": names["channel__kind"], "name": names["channel__name"]},
        "customer": {"id": str(chat.customer_id), "external_id": names["customer__external_id"]},
        "agent_id": str(chat.agent_id) if chat.agent_id else None,
        "external_id": _external_id(names),
        "started_at": stamp(chat.started_at),
        "closed_at": stamp(chat.closed_at),
        "close_reason": str(chat.close_reason),
    }


def _external_id(names: dict[str, Any]) -> str | None:
    """What the client that began the chat calls it; None where that is a secret of its customer."""
    is_proof = names["foreign__registration__protocol"] in Registration.PROVEN_BY_CHAT_ID
    return None if is_proof else names["foreign__external_id"] or None


def _names_of(chat_ids: set[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = Chat.objects.filter(pk__in=chat_ids).order_by().values("pk", *NAMES)
    return {row["pk"]: dict(row) for row in rows}
