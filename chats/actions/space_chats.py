"""Chats as programs of an API space begin, change, hand over, move, close and delete them.

Each is one transaction. `check` is called with the chat as it is now, its row locked, before anything is changed: it raises for a caller who
has read another state (if-match). What is as wanted already is no change. The chat that is returned is loaded as its shape needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from chats.errors import Closed, Conflict, Invalid, NotFound
from chats.models import Account, Chat, Conversation, Customer, ForeignCustomer, SpaceChat
from contactcenter.models import Channel, Team

from .close import close_chat
from .connectors import connector_of
from .hold import give
from .locking import lock_chat, lock_open_chat
from .start import Foreign, Start, Way, start_chat
from .steer import transfer_by_application
from .ways import account_of, bring_home, move
from .welcome import plan_welcome

Check = Callable[[SpaceChat], None]

HAS_CHAT = _("This customer has an open chat already.")
ANOTHERS = _("This address is another customer's.")
STOPPED = _("This customer wants no more messages there (STOP).")


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A channel, and the customer's address on it in its carrier's spelling; empty for the app, where no address is needed."""

    channel: Channel
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class NewChat:
    """What a program says of a chat that it begins. actor: as _createdBy names it; agent: who has it from the start."""

    team: Team
    reach: Reach
    actor: str
    name: str
    description: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    conversation: Conversation | None = None
    agent: Agent | None = None


@transaction.atomic
def begin_space_chat(profile: ForeignCustomer, new: NewChat, *, now: datetime) -> SpaceChat:
    """A new chat of the profile's customer, at any hour. Raises Conflict when the customer has one open, Full (the agent), Blocked, Invalid."""
    registration = profile.registration
    # Of two that begin at the same moment the second waits here, and finds the chat of the first.
    customer = Customer.objects.select_for_update(no_key=True).get(pk=profile.customer_id)
    if customer.chats.open().exists():
        raise Conflict(HAS_CHAT)
    words = {name: getattr(new, name) for name in ("name", "description", "context", "conversation")}
    start = Start(
        client_id=str(uuid4()),
        team=new.team,
        subject=new.name[:200],
        has_lease=False,
        at_any_hour=True,
        greets=not new.reach.address,  # who is written to first is not greeted for having come
        foreign=Foreign(registration, space={**words, "created_by": new.actor}),
        way=_way_of(new, customer, registration.channel, now) if new.reach.address else None,
    )
    chat = start_chat(new.reach.channel, customer, start, now=now).chat
    if new.agent is not None:
        give(lock_open_chat(Chat.objects, chat.pk), new.agent, reason="assigned", now=now)
    known = SpaceChat.objects.loaded().get(registration=registration, chat=chat)
    known.registration = registration
    plan_welcome(known, now)
    return known


@transaction.atomic
def change_space_chat(
    known: SpaceChat, changes: dict[str, str], *, actor: str, check: Check, now: datetime
) -> SpaceChat:
    """Another `name` or `description`, also of a chat that has ended. Raises NotFound."""
    fresh = _lock(known, check)
    changed = {name: value for name, value in changes.items() if getattr(fresh, name) != value}
    return _stamp(fresh, actor, now, **changed) if changed else fresh


@transaction.atomic
def assign_space_chat(
    known: SpaceChat, team: Team, agent: Agent | None, *, actor: str, check: Check, now: datetime
) -> SpaceChat:
    """Hand it to a team, where it waits for whom the routing finds, or at once to this agent of it. Raises NotFound, Closed, Full, Invalid."""
    fresh = _lock_open(known, check)
    chat = fresh.chat
    if chat.team_id == team.pk and (chat.agent_id == agent.pk if agent else chat.is_waiting):
        return fresh
    _stamp(fresh, actor, now)
    if agent is None:
        transfer_by_application(Chat.objects, chat.pk, team=team, now=now)
    else:
        give(lock_open_chat(Chat.objects, chat.pk), agent, reason="assigned", team=team, now=now)
    return _reload(fresh)


@transaction.atomic
def move_space_chat(known: SpaceChat, reach: Reach, *, actor: str, check: Check, now: datetime) -> SpaceChat:
    """From now on it goes by this channel. Raises NotFound, Closed, Conflict (a connector's; another's address; STOP)."""
    # The customer before the chat, as everywhere.
    customer = Customer.objects.select_for_update(no_key=True).get(pk=known.chat.customer_id)
    account = _account_of(reach, customer, now) if reach.address else None
    fresh = _lock_open(known, check)
    chat = fresh.chat
    if chat.is_foreign and connector_of(chat.pk):
        raise Conflict(_("A connector carries this chat."))
    is_there = chat.channel.kind == reach.channel.kind if account else not chat.is_carried
    if is_there:  # at whichever of our and the customer's addresses
        return fresh
    _stamp(fresh, actor, now)
    locked = lock_open_chat(Chat.objects, chat.pk)
    if account is None:
        bring_home(locked, reach.channel, now=now)
    else:
        move(locked, reach.channel, account, now=now)
    return _reload(fresh)


@transaction.atomic
def close_space_chat(known: SpaceChat, *, is_silent: bool, actor: str, check: Check, now: datetime) -> SpaceChat:
    """End it, with the team's closing words unless `is_silent`. One that has ended stays as it is. Raises NotFound."""
    fresh = _lock(known, check)
    if not fresh.chat.is_open:
        return fresh
    _stamp(fresh, actor, now)
    close_chat(Chat.objects, fresh.chat_id, reason=Chat.CloseReason.DONE, is_silent=is_silent, now=now)
    return _reload(fresh)


@transaction.atomic
def delete_space_chat(known: SpaceChat, *, actor: str, check: Check, now: datetime) -> SpaceChat:
    """The space sees it no more; an open one ends without a word. Our own log and desk keep it. Raises NotFound."""
    fresh = _lock(known, check)
    if fresh.chat.is_open:
        close_chat(Chat.objects, fresh.chat_id, reason=Chat.CloseReason.DONE, is_silent=True, now=now)
    return _stamp(_reload(fresh), actor, now, deleted_at=now, deleted_by=actor, welcome_at=None)


def _lock(known: SpaceChat, check: Check) -> SpaceChat:
    """The chat's row before the space's own, as everywhere; both as they are now. Raises NotFound, and what the check raises."""
    lock_chat(Chat.objects, known.chat_id)
    rows = SpaceChat.objects.filter(pk=known.pk, deleted_at=None).loaded()
    fresh = rows.select_for_update(no_key=True, of=("self",)).first()
    if fresh is None:
        raise NotFound
    fresh.registration = known.registration
    check(fresh)
    return fresh


def _lock_open(known: SpaceChat, check: Check) -> SpaceChat:
    fresh = _lock(known, check)
    if not fresh.chat.is_open:
        raise Closed
    return fresh


def _stamp(fresh: SpaceChat, actor: str, now: datetime, **changes: Any) -> SpaceChat:
    """Who has changed it, before what tells of the change is written."""
    changes |= {"updated_at": now, "updated_by": actor}
    for name, value in changes.items():
        setattr(fresh, name, value)
    fresh.save(update_fields=list(changes))
    return fresh


def _reload(fresh: SpaceChat) -> SpaceChat:
    found = SpaceChat.objects.loaded().get(pk=fresh.pk)
    found.registration = fresh.registration
    return found


def _way_of(new: NewChat, customer: Customer, home: Channel, now: datetime) -> Way:
    account = _account_of(new.reach, customer, now)
    facts = {"subject": new.name} if new.reach.channel.kind == Channel.Kind.EMAIL else {}
    return Way(account, facts, home)


def _account_of(reach: Reach, customer: Customer, now: datetime) -> Account:
    """The customer's, whose row is locked. Raises Invalid for another's address, Conflict after STOP."""
    # Looked at before it is locked: two customers' rows are never locked one after the other.
    owners = Account.objects.filter(center_id=customer.center_id, kind=reach.channel.kind, address=reach.address)
    if owners.exclude(customer=customer).exists():
        raise Invalid(fields={"channelId": ANOTHERS})
    account = account_of(reach.channel, reach.address, customer=customer, now=now)
    if account.stopped_at is not None:
        raise Conflict(STOPPED)
    return account
