"""What telling devices needs, loaded at once; or why one is not told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from chats.models import AppSession, Carrier, Event, Participant, PushNotice, SpaceChat
from contactcenter.models import RegistrationTeam

from .verdict import Letter, Verdict, fields_of, plain
from .words import MOST_BODY, MOST_TITLE, shortened

TOO_LATE = timedelta(hours=1)  # by then nobody wants to be called any more
SEEN = timedelta(seconds=60)  # an open socket says so every 30 seconds
LOOK_AGAIN = timedelta(seconds=10)

Plan = Letter | Verdict


@dataclass(frozen=True)
class _Loaded:
    """events by (chat, position); shown: how far the customer's apps have shown each chat; conversations by (registration, chat); reply_as by (registration, team)."""

    events: dict[tuple[UUID, int], Event]
    shown: dict[UUID, int]
    conversations: dict[tuple[UUID, UUID], str]
    reply_as: dict[tuple[UUID, UUID], str]


def plans_of(notices: Sequence[PushNotice], now: datetime) -> list[Plan]:
    """For each what to send, or what becomes of it without. The rows come with session, chat and team, channel, carrier and center."""
    loaded = _load(notices)
    return [_plan(notice, loaded, now) for notice in notices]


def _load(notices: Sequence[PushNotice]) -> _Loaded:
    chats = {notice.chat_id for notice in notices}
    spaces = {notice.session.registration_id for notice in notices}
    events = Event.objects.filter(chat__in=chats, position__in={notice.position for notice in notices})
    customers = Participant.objects.filter(chat__in=chats, kind=Participant.Kind.CUSTOMER)
    cursors = customers.values_list("chat", "delivered_index", "read_index")
    known = SpaceChat.objects.filter(registration__in=spaces, chat__in=chats, conversation__isnull=False)
    teams = RegistrationTeam.objects.filter(
        registration__in=spaces, team__in={notice.chat.team_id for notice in notices}
    )
    return _Loaded(
        events={(event.chat_id, event.position): event for event in events},
        shown={chat: max(delivered, read) for chat, delivered, read in cursors},
        conversations={
            (space, chat): name
            for space, chat, name in known.values_list("registration", "chat", "conversation__external_id")
        },
        reply_as={(one.registration_id, one.team_id): _reply_as(one.facts) for one in teams},
    )


def _reply_as(facts: Any) -> str:
    """team (also where nobody has said anything) or individual."""
    return plain(fields_of(fields_of(facts).get("appMessaging")).get("replyAs"))


def _plan(notice: PushNotice, loaded: _Loaded, now: datetime) -> Plan:
    event = loaded.events.get((notice.chat_id, notice.position))
    if why := _why_not(notice, event, now):
        return Verdict(error=why)
    assert event is not None  # noqa: S101 - said above
    if loaded.shown.get(notice.chat_id, 0) >= notice.index:
        return Verdict(is_skipped=True)
    return _open_app(notice.session, event, now) or _letter(notice, event, loaded)


def _why_not(notice: PushNotice, event: Event | None, now: datetime) -> str:
    session, channel = notice.session, notice.channel
    carrier: Carrier | None = getattr(channel, "carrier", None)
    if now - notice.filed_at > TOO_LATE:
        return "It is too late for it."
    if session.ended_at or session.expires_at <= now:
        return "The app has signed out."
    if not session.push:
        return "The device takes no push notices any more."
    if carrier is None or carrier.provider != Carrier.Provider.PUSH:
        return "The channel has no push notices any more."
    if not (carrier.is_active and channel.is_active and channel.center.is_active):
        return "Push notices are switched off."
    return "" if event else "The message is gone."


def _open_app(session: AppSession, event: Event, now: datetime) -> Verdict | None:
    """While the device's socket is open. A sign of life after the message: it was shown. One from before proves nothing yet: phones go without a word."""
    seen_at = _moment(fields_of(session.facts).get("seen_at"))
    if seen_at is None or now - seen_at > SEEN:
        return None
    return Verdict(is_skipped=True) if seen_at > event.at else Verdict(look_again=LOOK_AGAIN)


def _moment(value: Any) -> datetime | None:
    """ISO 8601 with a zone."""
    try:
        found = parse_datetime(plain(value))
    except ValueError:
        return None
    return None if found is None or timezone.is_naive(found) else found


def _letter(notice: PushNotice, event: Event, loaded: _Loaded) -> Letter:
    space, chat, carrier = notice.session.registration_id, notice.chat, notice.channel.carrier
    is_individual = loaded.reply_as.get((space, chat.team_id)) == "individual"
    return Letter(
        id=str(notice.id),
        push=notice.session.push,
        title=shortened((event.sender_name if is_individual else "") or chat.team.name, MOST_TITLE),
        body=shortened(_text(event), MOST_BODY),
        chat_id=str(chat.pk),
        conversation_id=loaded.conversations.get((space, chat.pk), ""),
        alert=fields_of(fields_of(event.data.get("facts")).get("alert")),
        settings=carrier.settings,
        secrets=carrier.secrets,
    )


def _text(event: Event) -> str:
    """Files and links by their names, where nothing else is said."""
    named = [*event.data.get("attachments", []), *event.data.get("links", [])]
    return event.text or ", ".join(plain(fields_of(one).get("name")) for one in named)
