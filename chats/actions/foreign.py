"""Customers and chats as the clients of a foreign API make and change them: our own rows, and beside each what that API must give back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from chats.due import ask_routing
from chats.errors import Conflict
from chats.models import Chat, Connector, Customer, ForeignChat, ForeignCustomer
from contactcenter.models import Registration, Team

from .customers import update_customer
from .history import Entry
from .locking import lock_chat
from .sessions import begin_session
from .start import Foreign, Start, Started, start_chat

# The messages of both are compared by clients.
TAKEN = "User already exists"
HAS_CHAT = "User already has a chat"
SENT_BEFORE = timedelta(days=7)
MOST_SENT = 5


@dataclass(frozen=True)
class Joined:
    """A new customer, and the token by which its own client proves to be it."""

    foreign: ForeignCustomer
    token: str


@transaction.atomic
def make_customer(
    registration: Registration,
    fields: dict[str, Any],
    *,
    external_id: str = "",
    facts: dict[str, Any] | None = None,
    now: datetime,
) -> Joined:
    """A new customer with a session. `fields`: name, email, phone, language, data; `facts`: the client's own words, given back as they are.

    The external id is the registration's alone: it never leads to a customer of another door. Raises Conflict when it is taken.
    """
    customer = Customer.objects.create(center_id=registration.center_id, last_seen_at=now, **fields)
    foreign = ForeignCustomer(center_id=registration.center_id, registration=registration, customer=customer)
    foreign.external_id, foreign.facts = external_id or None, facts or {}
    _save(foreign)
    return Joined(foreign, begin_session(registration.channel, customer, now).token)


@transaction.atomic
def change_customer(
    foreign: ForeignCustomer,
    fields: dict[str, Any],
    *,
    external_id: str | None = None,
    facts: dict[str, Any] | None = None,
    now: datetime,
) -> ForeignCustomer:
    """Change what is named; `facts` are merged, an external id of None stays and an empty one goes. Raises Conflict when it is another's."""
    # The customer before its own rows, as everywhere.
    customer = update_customer(foreign.customer, fields, now=now)
    foreign = ForeignCustomer.objects.select_for_update(no_key=True, of=("self",)).get(pk=foreign.pk)
    foreign.customer = customer
    if external_id is not None:
        foreign.external_id = external_id or None
    foreign.facts = foreign.facts | (facts or {})
    _save(foreign)
    return foreign


@transaction.atomic
def begin_foreign_chat(
    registration: Registration,
    customer: ForeignCustomer,
    *,
    team: Team,
    facts: dict[str, Any],
    external_id: str = "",
    language: str = "",
    text: str = "",
    history: list[Entry] | None = None,
    now: datetime,
) -> Started:
    """Start a chat of the customer. Without a queue it is offered to nobody until its client searches (actions.search).

    Raises Conflict when the customer has an open chat, and what start_chat raises.
    """
    # Of two that begin at the same moment the second waits here, and finds the chat of the first.
    locked = Customer.objects.select_for_update(no_key=True).get(pk=customer.customer_id)
    if locked.chats.open().exists():
        raise Conflict(HAS_CHAT)
    start = Start(
        client_id=str(uuid4()),
        team=team,
        text=text,
        language=language,
        has_lease=False,
        is_steered=not registration.uses_queue,
        history=history or [],
        foreign=Foreign(registration, external_id, facts),
    )
    return start_chat(registration.channel, locked, start, now=now)


@transaction.atomic
def begin_request(
    registration: Registration,
    *,
    fields: dict[str, str],
    team: Team | None,
    subject: str,
    data: dict[str, Any],
    external_id: str,
    facts: dict[str, Any] | None = None,
    account: str = "",
    page_url: str = "",
    now: datetime,
) -> Started:
    """A chat of somebody who names no id: a new customer with it. `external_id`: random; the client proves by it that the chat is its own.

    Raises what start_chat raises.
    """
    customer = Customer.objects.create(center_id=registration.center_id, last_seen_at=now, **fields)
    # Staff may see a client_id, so the proof is none.
    start = Start(
        client_id=str(uuid4()),
        team=team,
        subject=subject,
        data=data,
        page_url=page_url,
        foreign=Foreign(registration, external_id, facts or {}, account),
    )
    return start_chat(registration.channel, customer, start, now=now)


@transaction.atomic
def begin_carried_chat(
    connector: Connector,
    account: str,
    *,
    fields: dict[str, str],
    team: Team | None,
    subject: str,
    data: dict[str, Any],
    external_id: str,
    facts: dict[str, Any] | None = None,
    is_own: bool,
    now: datetime,
) -> Started:
    """A chat that a connector carries. `is_own`: the connector has proven itself, so that the account is one customer, whose open chat is returned.

    What was lately sent to the account outside of any chat stands before it as history. Raises what start_chat raises, and Conflict when the customer has another open chat.
    """
    registration = connector.registration
    customer = _customer_of(connector, account, fields, now) if is_own and account else None
    if customer is None:
        customer = Customer.objects.create(center_id=registration.center_id, last_seen_at=now, **fields)
    start = Start(
        client_id=str(uuid4()),
        team=team,
        subject=subject,
        data=data,
        has_lease=False,
        history=_sent_before(connector, account, now) if is_own and account else [],
        foreign=Foreign(registration, external_id, facts or {}, account, connector),
    )
    started = start_chat(connector.channel, customer, start, now=now)
    if started.replayed and not ForeignChat.objects.filter(chat=started.chat, registration=registration).exists():
        raise Conflict(HAS_CHAT)
    return started


def _customer_of(connector: Connector, account: str, fields: dict[str, str], now: datetime) -> Customer:
    """The customer of an account of the connector's channel, locked: of two first messages at once the second finds the chat of the first."""
    external_id = f"{connector.name}:{account}"
    known = ForeignCustomer.objects.filter(registration=connector.registration, external_id=external_id)
    if not known.exists():
        try:
            with transaction.atomic():
                make_customer(connector.registration, fields, external_id=external_id, now=now)
        except Conflict:
            pass  # just made by another
    customer: Customer = Customer.objects.select_for_update(no_key=True).get(foreign__in=known)
    return customer


def _sent_before(connector: Connector, account: str, now: datetime) -> list[Entry]:
    """The last texts that programs have sent to the account: what the customer may be answering."""
    recent = connector.outbound_messages.filter(account=account, given_at__gt=now - SENT_BEFORE).order_by("-number")
    sent = [Entry(kind="bot", text=one.text, name=one.application.name, at=one.given_at) for one in recent[:MOST_SENT]]
    return sent[::-1]


@transaction.atomic
def rename_requester(foreign: ForeignChat, name: str, *, facts: dict[str, Any], now: datetime) -> None:
    """The chat's customer is called otherwise from now on; `facts` are merged into the chat's own."""
    # The customer before the chat, as everywhere.
    update_customer(foreign.chat.customer, {"name": name}, now=now)
    change_foreign_chat(foreign.chat.customer.chats, foreign.chat_id, facts=facts, now=now)


@transaction.atomic
def change_foreign_chat(
    chats: Any,
    chat_id: UUID,
    *,
    language: str | None = None,
    external_id: str | None = None,
    facts: dict[str, Any] | None = None,
    now: datetime,
) -> Chat:
    """Change what is not None; `facts` are merged. Also of a chat that has ended. Raises NotFound."""
    chat = lock_chat(chats, chat_id)
    foreign = ForeignChat.objects.select_related("registration").get(chat=chat)
    if external_id is not None:
        foreign.external_id = external_id
    foreign.facts = foreign.facts | (facts or {})
    foreign.save(update_fields=["external_id", "facts"])
    chat.foreign = foreign
    if language is not None and language != chat.language:
        chat.language = language
        chat.save(update_fields=["language"])
        if chat.is_waiting:
            ask_routing([chat.team_id], now)
    return chat


def _save(foreign: ForeignCustomer) -> None:
    try:
        # Two may want the same id at the same moment; the constraint lets one row have it.
        with transaction.atomic():
            foreign.save()
    except IntegrityError:
        others = ForeignCustomer.objects.filter(
            registration_id=foreign.registration_id, external_id=foreign.external_id
        )
        if others.exclude(pk=foreign.pk).exists():
            raise Conflict(TAKEN) from None
        raise
