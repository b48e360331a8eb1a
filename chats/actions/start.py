"""Starting a chat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chats.deadlines import CUSTOMER_LEASE as CUSTOMER_LEASE
from chats.due import ask_routing
from chats.errors import Blocked, Invalid, NotFound, OutsideHours
from chats.events import ChatEvent, ChatQueued, ChatStarted, MessagePosted, Record, number, store
from chats.models import (
    Account,
    Carriage,
    Chat,
    Connector,
    Customer,
    Event,
    ForeignChat,
    Participant,
    Search,
    SpaceChat,
    hot,
)
from contactcenter.hours import is_open
from contactcenter.models import Channel, Registration, Team
from contactcenter.prepared import Prepared

from .history import Entry, history_event
from .locking import lock_customer
from .post import Post, post_message
from .text import check_text


@dataclass(frozen=True)
class Foreign:
    """How a foreign API knows the chat that begins (models.ForeignChat)."""

    registration: Registration
    external_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    account: str = ""  # the customer's on its channel
    connector: Connector | None = None  # which carries the chat
    space: dict[str, Any] | None = None  # fields of the API space's row of the chat (models.SpaceChat), made with it


@dataclass(frozen=True)
class Way:
    """How a chat travels (models.Carriage)."""

    account: Account
    facts: dict[str, Any] = field(default_factory=dict)
    home: Channel | None = None  # an app to which its customer may take the chat by writing there


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a door knows of a chat that begins. `client_id` is made by the client and makes a repeat harmless."""

    client_id: str
    team: Team | None = None
    subject: str = ""
    text: str = ""
    language: str = ""
    skills: list[str] = field(default_factory=list)
    priority: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    page_url: str = ""
    page_title: str = ""
    greets: bool = True  # with the team's greeting, if it has one
    has_lease: bool = True  # the client will be asked for signs of life
    is_steered: bool = False  # offered to nobody until its program searches (actions.search)
    history: list[Entry] = field(default_factory=list)  # what was said elsewhere before, oldest first
    foreign: Foreign | None = None
    way: Way | None = None  # it travels: nobody is asked for signs of life, and it is taken at any hour
    at_any_hour: bool = False  # also while its team is closed

    @property
    def is_carried(self) -> bool:
        return self.way is not None or (self.foreign is not None and self.foreign.connector is not None)


@dataclass(frozen=True)
class Started:
    """`replayed`: nothing was made, this chat was there already."""

    chat: Chat
    participant: Participant
    replayed: bool


@transaction.atomic
def start_chat(channel: Channel, customer: Customer, start: Start, *, now: datetime) -> Started:
    """Start a chat, or return the one that this customer has open (or that the same `client_id` made).

    Raises Blocked, OutsideHours, Invalid (no team, a history or text that cannot be kept), NotFound (the customer was erased).
    """
    # Two first messages of one customer at the same moment meet here: the second finds the first one's chat.
    customer = lock_customer(customer.pk)
    known = find_known(customer, start.client_id)
    return join_known(known, start, now) if known else start_new(channel, customer, start, now)


def start_new(channel: Channel, customer: Customer, start: Start, now: datetime) -> Started:
    """Start a chat of a customer whose row the caller has locked, and who has none open. Raises as start_chat does."""
    return write_plans([plan_chat(channel, customer, start, now)], now)[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """A chat that may begin, and the first lines of its log; nothing is written yet."""

    start: Start
    chat: Chat
    participant: Participant
    events: list[Event]


def plan_chat(channel: Channel, customer: Customer, start: Start, now: datetime) -> Plan:
    """What `start_new` would write. Raises as start_chat does."""
    if customer.erased_at is not None:  # by whom the caller was known a moment ago
        raise NotFound
    team = _team_for(channel, start.team)
    if customer.is_blocked_at(now):
        raise Blocked
    if start.way is None and not start.at_any_hour and not is_open(team, now):
        raise OutsideHours
    if start.text:
        check_text(start.text)
    chat = _new_chat(channel, customer, team, start, now)
    participant = Participant(center_id=chat.center_id, chat=chat, kind=Participant.Kind.CUSTOMER, name=customer.name)
    participant.joined_at = now
    participant.lease_until = now + CUSTOMER_LEASE if start.has_lease and not start.is_carried else None
    return Plan(start, chat, participant, _first_lines(chat, participant, start, now))


def write_plans(plans: Sequence[Plan], now: datetime) -> list[Started]:
    """Write chats, and ask for their routing: call it last in a transaction."""
    hot.insert_chats([plan.chat for plan in plans], [plan.participant for plan in plans])
    for plan in plans:  # before the events: who tells them abroad looks for it, and what greets travels
        _write_ways(plan.chat, plan.start, now)
    store([Record(plan.chat, event) for plan in plans for event in plan.events])
    for plan in plans:
        if plan.start.is_steered:
            Search.objects.create(center_id=plan.chat.center_id, chat=plan.chat)
    if routed := {plan.chat.team_id for plan in plans if not plan.start.is_steered}:
        ask_routing(routed, now)
    return [Started(plan.chat, plan.participant, replayed=False) for plan in plans]


def default_team(channel: Channel) -> Team | None:
    """The team of a chat that names none: the channel's, else the center's default, else its only one."""
    own = OWN_TEAM.rows(channel.team_id) if channel.team_id else []
    return choose_team(own, []) or choose_team([], TEAMS.rows(channel.center_id))


def choose_team(own: Sequence[Team], teams: Sequence[Team]) -> Team | None:
    """`own`: the channel's, from OWN_TEAM; `teams`: its center's, from TEAMS."""
    if own and own[0].is_active:
        return own[0]
    return teams[0] if teams and (teams[0].is_default or len(teams) == 1) else None


OWN_TEAM = Prepared(lambda team: Team.objects.filter(pk=team).select_related("center"))
TEAMS = Prepared(
    lambda center: (
        Team.objects.filter(center=center, is_active=True).select_related("center").order_by("-is_default", "name")[:2]
    )
)


def _team_for(channel: Channel, wanted: Team | None) -> Team:
    team = wanted or default_team(channel)
    if team is None or team.center_id != channel.center_id or not team.is_active:
        raise Invalid(fields={"team": _("Choose a team.")})
    return team


def find_known(customer: Customer, client_id: str) -> Chat | None:
    """The chat that this `client_id` made, else the one that the customer has open."""
    known = KNOWN.rows(customer.pk, client_id)
    return next((chat for chat in known if chat.client_id == client_id), None) or next(iter(known), None)


KNOWN = Prepared(
    lambda customer, client_id: Chat.objects.filter(
        Q(client_id=client_id) | ~Q(state=Chat.State.CLOSED), customer=customer
    )
)


def join_known(chat: Chat, start: Start, now: datetime) -> Started:
    """The chat that is there already; what was to be its first text is not lost (and a repeat of it is harmless)."""
    participant = chat.participants.get(kind=Participant.Kind.CUSTOMER)
    if start.text and chat.is_open:
        post_message(Post(chat.pk, participant.pk, start.client_id, start.text), now=now)
        chat.refresh_from_db()
    return Started(chat, participant, replayed=True)


def _new_chat(channel: Channel, customer: Customer, team: Team, start: Start, now: datetime) -> Chat:
    is_direct = team.mode == Team.Mode.DIRECT and not start.is_steered
    search_until = now + timedelta(seconds=team.search_seconds) if is_direct else None
    return Chat(
        center_id=channel.center_id,
        channel=channel,
        customer=customer,
        team=team,
        state=Chat.State.SEARCHING if is_direct or start.is_steered else Chat.State.QUEUED,
        client_id=start.client_id,
        subject=start.subject,
        language=start.language or customer.language,
        skills=start.skills,
        priority=start.priority,
        data=start.data,
        is_foreign=start.foreign is not None,
        is_carried=start.is_carried,
        page_url=start.page_url,
        page_title=start.page_title,
        started_at=now,
        queued_at=now,
        waiting_since=now,
        search_until=search_until,
        due_at=search_until or now + timedelta(seconds=min(team.away_reminder_seconds, team.away_close_seconds)),
    )


def _first_lines(chat: Chat, participant: Participant, start: Start, now: datetime) -> list[Event]:
    team = chat.team
    happened: list[tuple[ChatEvent, Participant | None]] = [
        (ChatStarted(team=team.name, subject=chat.subject, channel=chat.channel.kind), participant),
    ]
    history = history_event(start.history)
    if history.entries:
        happened.append((history, None))
    happened.append((ChatQueued(team=team.name), None))
    if start.text:
        happened.append((MessagePosted(text=start.text, client_id=start.client_id), participant))
        chat.last_text, chat.last_text_at, chat.last_sender_kind = start.text[:200], now, participant.kind
        chat.last_customer_at, chat.unread = now, 1
    if team.greeting and start.greets:  # answers the first text, so it stands below it
        happened.append((MessagePosted(text=team.greeting), None))
    return [number(chat, event, sender=sender, now=now) for event, sender in happened]


def _write_ways(chat: Chat, start: Start, now: datetime) -> None:
    """How a foreign API knows the chat, and how it travels."""
    if start.foreign:
        registration = start.foreign.registration
        ForeignChat.objects.create(
            center_id=chat.center_id,
            chat=chat,
            registration=registration,
            external_id=start.foreign.external_id,
            facts=start.foreign.facts,
            account=start.foreign.account,
            connector=start.foreign.connector,
        )
        if start.foreign.space is not None:
            known = {"original_team": chat.team, "updated_at": now, **start.foreign.space}
            SpaceChat.objects.create(center_id=chat.center_id, chat=chat, registration=registration, **known)
    if start.way:
        Carriage.objects.create(
            center_id=chat.center_id,
            chat=chat,
            channel=chat.channel,
            account=start.way.account,
            home=start.way.home,
            facts=start.way.facts,
        )
