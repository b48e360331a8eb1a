"""Our events as the web hooks of an API space hear them. A table: our type → the space's name for it, with its payload.

A space hears of all chats of its center whose team its application may use, whoever began them; nothing of what only staff see.
`revision` is the event's place in the chat's log, and `etag` the chat's as GET shows it: both grow and change with the chat.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from chats.models import Event, Webhook
from chats.outbox.filing import Filed, Record
from contactcenter.models import ApiSpace, Registration
from contactcenter.models.ids import new_id

from .envelopes import Word, envelope
from .etags import etag_of
from .message_shapes import CHAT, CONVERSATION, alert_of, direction_of, facts_of, parts_of
from .names import agent_id, channel_id, iso, message_id
from .shapes import chat_shape
from .subscribers import calls, file_word, may_hear, spaces_of
from .webhook_context import Told, tell

Payload = dict[str, Any]
AGENT, OUTBOUND = "agent", "outbound"
SENT = f"{CHAT}.sent"


@dataclass(frozen=True, slots=True)
class Row:
    """`say` gives the payload, or None where there is nothing to tell after all."""

    name: str
    say: Callable[[Told], Payload | None]


def speak(webhooks: Sequence[Webhook], records: Sequence[Record], /) -> list[Filed]:
    """outbox.filing's speaker. A constant number of queries for messages, none where nobody listens."""
    spoken = [record for record in records if WORDS[record.event.type]]
    names = {row.name for record in spoken for row in WORDS[record.event.type]}
    hooks: dict[Registration, list[Webhook]] = defaultdict(list)
    for webhook in webhooks:
        if webhook.registration is not None and any(may_hear(webhook, name) for name in names):
            hooks[webhook.registration].append(webhook)
    if not hooks:
        return []
    spaces = spaces_of(hooks)
    told = tell({one: _teams_of(own[0]) for one, own in hooks.items()}, spoken)
    return [
        call
        for one in told
        for row in WORDS[one.event.type]
        for call in _calls(one, row, hooks[one.registration], spaces[one.registration.pk])
    ]


def file_words(
    registration: Registration,
    name: str,
    payload: Payload,
    *,
    chat_id: UUID | None = None,
    now: datetime,
    revision: int | None = None,
    etag: str | None = None,
) -> None:
    """Tell the space's web hooks of what no chat's log says: chat.update, chat.delete, profile.*, conversation.*.

    Call it in the transaction that changes it (with the chat's row locked, if there is a `chat_id`: then it keeps its place among the
    chat's other calls). One query where nobody listens. `name`: of catalogue.OFFERS.
    """
    file_word(
        registration, Word(name=name, id=new_id(), at=now, payload=payload, revision=revision, etag=etag), chat_id
    )


def update_payload(shape: dict[str, Any]) -> Payload:
    """Of chat.update. `shape`: the chat's (shapes.chat_shape)."""
    return {name: shape[name] for name in ("id", "name", "description", "teamId", "channelId", "status")}


def _teams_of(webhook: Webhook) -> set[UUID]:
    """Those that the application may use; empty: all."""
    return {one.team_id for one in webhook.application.application_teams.all()}


def _calls(told: Told, row: Row, hooks: list[Webhook], space: ApiSpace) -> list[Filed]:
    hearing = [one for one in hooks if may_hear(one, row.name)]
    payload = row.say(told) if hearing else None
    if payload is None:
        return []
    is_message = row.name.endswith(".sent")
    word = Word(
        name=row.name,
        id=uuid5(told.registration.pk, f"{told.event.chat_id}:{told.event.position}:{row.name}"),
        at=told.event.at,
        payload=payload,
        revision=1 if is_message else told.event.position,
        etag=None if is_message else etag_of(chat_shape(told.known)),
    )
    return calls(hearing, envelope(told.registration, space, word), told.event.chat_id)


# What each event is ----------------------------------------------------------------------------------------------------


def _created(told: Told) -> Payload:
    shape = chat_shape(told.known)
    kept = {name: shape[name] for name in ("id", "name", "description", "teamId", "channelId")}
    members = [{"profileId": one["id"], "role": one["role"]} for one in shape["participants"]]
    return kept | {"participants": members, "context": shape["context"]}


def _said(told: Told) -> Payload:
    event, cast = told.event, told.cast
    direction = direction_of(event)
    context = {
        "from": {"id": cast.profile_of(event)},
        "chatId": cast.chat_id,
        "teamId": told.team,
        "sentBy": cast.sent_by(event),
        "sentOn": iso(event.at),
        "direction": direction,
    }
    if direction == OUTBOUND:
        context["to"] = {"id": cast.customer}
    return {
        "id": str(message_id(event)),
        "metadata": facts_of(event).get("metadata", {}),
        "context": context,
        "parts": parts_of(event, told.registration),
    }


def _said_in_conversation(told: Told) -> Payload | None:
    """The same as what App Messaging's receivers read; only where the chat belongs to a conversation."""
    if told.known.conversation is None:
        return None
    event, cast = told.event, told.cast
    context = {
        "from": {"id": cast.profile_of(event)},
        "conversationId": cast.conversation_id,
        "sentBy": cast.sent_by(event),
        "sentOn": iso(event.at),
    }
    return _said(told) | {"context": context} | alert_of(event)


def _closed(told: Told) -> Payload:
    """bypassMessage: whether nothing was said at the end because somebody wanted it so."""
    chat = told.known.chat
    lasted = (chat.closed_at or told.event.at) - chat.started_at
    return {
        "id": str(chat.pk),
        "teamId": told.team,
        "bypassMessage": bool(told.event.data.get("is_silent")),
        "closeTimeSecs": int(lasted.total_seconds()),
    }


def _moved(told: Told) -> Payload:
    return {"id": str(told.known.chat_id), "channelId": channel_id(told.known.chat.channel)}


def _transferred(told: Told) -> Payload | None:
    """Not for one that was handed to a colleague of the same team."""
    if told.event.data["agent"] and _team_before(told.event) == told.event.data["team_name"]:
        return None
    return {"id": str(told.known.chat_id), "teamId": told.team}


def _member(told: Told) -> Payload | None:
    """The chat's own agent alone: guests are none of the two participants."""
    agent = told.agents.get(told.event.data["agent"])
    if agent is None or told.event.data["reason"] == "guest":
        return None
    return {"id": str(told.known.chat_id), "profileId": agent_id(agent), "role": AGENT}


def _reopened(told: Told) -> Payload:
    return update_payload(chat_shape(told.known))


def _team_before(event: Event) -> str | None:
    """The name of the team that had the chat before this event."""
    earlier = Event.objects.filter(chat_id=event.chat_id, position__lt=event.position)
    last = earlier.filter(type__in=("chat.transferred", "chat.queued", "chat.started")).order_by("-position").first()
    return (last.data.get("team_name") or last.data.get("team")) if last else None


SAID = (Row(SENT, _said), Row(f"{CONVERSATION}.sent", _said_in_conversation))
_silent: tuple[Row, ...] = ()
WORDS: dict[str, tuple[Row, ...]] = {
    "chat.started": (Row("chat.create", _created),),
    "message.posted": SAID,
    "customer.reminded": SAID,
    "chat.closed": (Row("chat.closed", _closed),),
    "chat.moved": (Row("chat.channelUpdated", _moved),),
    "chat.transferred": (Row("chat.teamUpdated", _transferred),),
    "agent.joined": (Row("chat.participantAdded", _member),),
    "agent.left": (Row("chat.participantRemoved", _member),),
    "chat.reopened": (Row("chat.update", _reopened),),
    # What follows tells it: the agent who joins, the team that gets the chat.
    "chat.queued": _silent,
    "invitation.accepted": _silent,
    "invitation.declined": _silent,
    "invitation.expired": _silent,
    "invitation.offered": _silent,
    "invitation.withdrawn": _silent,
    "search.failed": _silent,
    # For staff alone.
    "chat.disposed": _silent,
    "chat.erased": _silent,
    "chat.updated": _silent,
    "customer.updated": _silent,
    "guest.declined": _silent,
    "guest.invited": _silent,
    "history.imported": _silent,
    "message.failed": _silent,
    "message.resent": _silent,
    "note.posted": _silent,
    "routing.decided": _silent,
    "survey.answered": _silent,
}
