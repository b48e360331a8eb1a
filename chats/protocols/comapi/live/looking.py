"""What is new for one app: read from the rows, whatever was announced or lost."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from agents.models import Agent
from chats.actions.profiles import revision_of
from chats.models import AppSession, Chat, Conversation, ForeignCustomer, Participant, SpaceChat, SpaceLine
from chats.protocols.comapi.conversation_chats import adopt_strays
from chats.protocols.comapi.conversation_log import casts_of, shapes_of
from chats.protocols.comapi.conversations import core_shape as conversation_shape
from chats.protocols.comapi.etags import etag_of
from chats.protocols.comapi.lines import catch_up
from chats.protocols.comapi.names import agent_id
from chats.protocols.comapi.profiles import core_shape as profile_shape

from .seat import Seat

AT_ONCE = 200  # events of one look
LATELY = timedelta(hours=1)  # how long a chat that has ended is looked at

Print = frozenset[tuple[Any, ...]]


@dataclass(frozen=True)
class Talk:
    """A conversation as the app knows it: the next event's number, its revision, whether it is deleted."""

    cursor: int
    revision: int
    is_gone: bool


@dataclass(frozen=True)
class Known:
    """What the app has been told, and what its socket listens to.

    chats: {id of an open chat: its conversation's}; typists: {participant's id: profile id}; seen: the state that this was read from
    """

    talks: dict[UUID, Talk] = field(default_factory=dict)
    profile_revision: int = 0
    chats: dict[UUID, str] = field(default_factory=dict)
    typists: dict[str, str] = field(default_factory=dict)
    seen: Print = frozenset()


@dataclass(frozen=True)
class Look:
    """frames: what is to be sent, in order; is_all: nothing was left over."""

    known: Known
    frames: list[str]
    is_all: bool = True


def first_look(seat: Seat, now: datetime) -> Known:
    """Where everything is when the socket opens."""
    found = look(seat, None, now).known
    return replace(found, profile_revision=revision_of(seat.profile))


def look(seat: Seat, known: Known | None, now: datetime) -> Look:
    """What has happened since `known`; without it nothing is told, and the cursors stand at the end."""
    seen = prints([seat.session.pk], now).get(seat.session.pk, frozenset())
    adopt_strays(seat.registration, seat.profile, now)
    chats = _number_chats(seat, now)
    rows = list(seat.profile.conversations.filter(registration=seat.registration).order_by("created_at", "pk"))
    before = known.talks if known else {}
    frames: list[str] = []
    talks: dict[UUID, Talk] = {}
    is_all = True
    for row in rows:
        row.registration = seat.registration
        talk = before.get(row.pk)
        if known is not None:
            frames += _changes(seat, row, talk)
        cursor = row.head if known is None else talk.cursor if talk else 0
        if known is not None and cursor < row.head and row.deleted_at is None:
            events = _events(seat, row, cursor)
            frames += [seat.frames.said(event) for event in events]
            cursor += len(events)
            is_all = is_all and cursor >= row.head
        talks[row.pk] = Talk(cursor, row.revision, row.deleted_at is not None)
    frames += _profile(seat, known) if known else []
    fresh = Known(talks, revision_of(seat.profile), chats, _typists(chats), seen)
    return Look(fresh, frames, is_all)


def prints(session_ids: Collection[UUID], now: datetime) -> dict[UUID, Print]:
    """What looks depend on, by session; one that has ended is missing. Three queries for all apps of a process."""
    live = AppSession.objects.live(now).filter(
        pk__in=session_ids,
        registration__is_active=True,
        registration__application__is_active=True,
        registration__channel__is_active=True,
        center__is_active=True,
    )
    rows = list(live.values_list("pk", "profile_id", "profile__customer_id", "profile__facts__revision"))
    customers = {customer_id for _pk, _profile, customer_id, _revision in rows}
    recent = ~Q(state=Chat.State.CLOSED) | Q(closed_at__gt=now - LATELY)
    of_customer: dict[UUID, set[tuple[Any, ...]]] = {customer_id: set() for customer_id in customers}
    for customer_id, *state in Chat.objects.filter(recent, customer_id__in=customers).values_list(
        "customer_id",
        "pk",
        "position",
        "agent_id",
        "participants__pk",
        "participants__read_index",
        "participants__delivered_index",
    ):
        of_customer[customer_id].add(tuple(state))
    of_profile: dict[UUID, set[tuple[Any, ...]]] = {}
    talks = Conversation.objects.filter(profile_id__in={row[1] for row in rows})
    for profile_id, *state in talks.values_list("profile_id", "pk", "revision"):
        of_profile.setdefault(profile_id, set()).add(tuple(state))
    return {
        pk: frozenset({("profile", revision), *of_customer[customer_id], *of_profile.get(profile_id, ())})
        for pk, profile_id, customer_id, revision in rows
    }


def _number_chats(seat: Seat, now: datetime) -> dict[UUID, str]:
    """All that was said in the app's chats has its line after this. The open ones, with their conversations' ids."""
    behind = ~Q(chat__state=Chat.State.CLOSED) | Q(told_position__lt=F("chat__position"))
    late = Q(chat__closed_at__gt=now - LATELY)  # what is read after the end
    rows = SpaceChat.objects.loaded().filter(
        behind | late, conversation__profile=seat.profile, registration=seat.registration
    )
    found: dict[UUID, str] = {}
    for row in rows.order_by("chat__started_at"):
        row.registration = seat.registration
        catch_up(row, now)
        if row.chat.is_open and row.conversation is not None:
            found[row.chat_id] = row.conversation.external_id
    return found


def _events(seat: Seat, row: Conversation, cursor: int) -> list[dict[str, Any]]:
    lines = SpaceLine.objects.filter(
        conversation=row, conversation_number__gte=cursor, conversation_number__lt=row.head
    )
    found = list(lines.order_by("conversation_number")[:AT_ONCE])
    return shapes_of(casts_of(seat.caller, row, found), found)


def _changes(seat: Seat, row: Conversation, talk: Talk | None) -> list[str]:
    """That the conversation was made, changed, deleted, or is there again."""
    is_gone = row.deleted_at is not None
    if talk is None:
        if is_gone:
            return []
        name = seat.profile.external_id or ""
        return [_changed(seat, row, "create"), seat.frames.joined(row.external_id, name, row.created_at, row.pk)]
    if row.revision == talk.revision:
        return []
    if is_gone:
        return [] if talk.is_gone else [_changed(seat, row, "delete")]
    return [_changed(seat, row, "undelete" if talk.is_gone else "update")]


def _changed(seat: Seat, row: Conversation, what: str) -> str:
    shape = conversation_shape(row)
    return seat.frames.changed(what, shape, revision=row.revision, etag=etag_of(shape), row_id=row.pk)


def _profile(seat: Seat, known: Known) -> list[str]:
    """Reads the profile again; the seat has it as it is after this."""
    row = ForeignCustomer.objects.select_related("customer").get(pk=seat.profile.pk)
    row.registration = seat.registration
    seat.session.profile = row
    if revision_of(row) == known.profile_revision:
        return []
    shape = profile_shape(row)
    return [seat.frames.profile(shape, revision=revision_of(row), etag=etag_of(shape), row_id=row.pk)]


def _typists(chats: Collection[UUID]) -> dict[str, str]:
    """How those are called there who may type in these chats."""
    if not chats:
        return {}
    rows = Participant.objects.filter(chat_id__in=chats, agent__isnull=False).select_related("agent__user")
    found: dict[str, str] = {}
    for row in rows:
        agent: Agent | None = row.agent
        if agent is not None:
            found[str(row.pk)] = agent_id(agent)
    return found
