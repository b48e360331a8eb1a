"""An agent writes first: by SMS or mail to a new or a known address, or goes on by another channel with a chat."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from chats.errors import Conflict, Forbidden, Invalid
from chats.models import Account, Carrier, Chat, Customer
from contactcenter.models import Channel

from .connectors import connector_of
from .hold import give
from .locking import lock_open_chat, seat_in_chat
from .post import Post, post_message
from .start import Start, Way, start_chat
from .ways import account_of, move

FIRST_KINDS = (Channel.Kind.SMS, Channel.Kind.EMAIL)  # on a page the customer begins
STOPPED = _("This customer wants no more messages there (STOP).")


@transaction.atomic
def write_first(
    agent: Agent, channel: Channel, address: str, text: str, *, client_id: str, subject: str = "", now: datetime
) -> Chat:
    """A new chat of the agent with whoever has this address, which the carrier has brought into its one spelling. A repeat gives the same chat.

    Raises Conflict when the customer has a chat open, Full without a free slot, Invalid, Forbidden (STOP; a channel of which nobody sends).
    """
    _check_channel(agent, channel)
    if channel.kind not in FIRST_KINDS:
        raise Invalid(fields={"channel": _("Nobody can be written to first there.")})
    account = account_of(channel, address, now=now)
    _check_not_stopped(account)
    start = Start(
        client_id=client_id,
        subject=subject[:200],
        way=Way(account, {"subject": subject} if subject else {}),
        greets=False,
    )
    started = start_chat(channel, account.customer, start, now=now)
    chat = started.chat
    # Ids are their makers' own: another's may be the same.
    if started.replayed and (chat.client_id != client_id or not chat.participants.filter(agent=agent).exists()):
        raise Conflict(_("This customer has a chat open already."))
    if not started.replayed:
        chat = give(lock_open_chat(agent.center.chats, chat.pk), agent, reason="picked", now=now)
        post_message(Post(chat.pk, seat_in_chat(chat, agent).pk, client_id, text), now=now)
        chat.refresh_from_db()
    return chat


@transaction.atomic
def go_on_by(agent: Agent, chat_id: UUID, channel: Channel, address: str, *, now: datetime) -> Chat:
    """Move the open chat to this channel, and to this address of its customer. Raises Forbidden, Invalid, NotFound, Closed, Conflict (another customer's address)."""
    _check_channel(agent, channel)
    if channel.kind not in FIRST_KINDS and not Account.objects.filter(
        center=agent.center_id, kind=channel.kind, address=address
    ):
        raise Invalid(fields={"address": _("This customer has not written there yet.")})
    # The customer before the chat, as everywhere.
    customer_id = agent.center.chats.filter(pk=chat_id).values_list("customer_id", flat=True).first()
    customer = agent.center.customers.filter(pk=customer_id).first() if customer_id else None
    account = account_of(channel, address, customer=customer, now=now) if customer else None
    chat = lock_open_chat(agent.center.chats, chat_id)
    if chat.agent_id != agent.pk and not agent.is_supervisor:
        raise Forbidden(_("Only the chat's agent or a supervisor may do this."))
    if account is None or account.customer_id != chat.customer_id:
        raise Conflict(_("This address is another customer's."))
    if chat.is_foreign and connector_of(chat.pk):
        raise Conflict(_("A connector carries this chat."))
    _check_not_stopped(account)
    move(chat, channel, account, sender=chat.participants.filter(agent=agent).first(), now=now)
    return chat


def addresses_of(customer: Customer, channel: Channel) -> list[str]:
    """Where a customer can be reached on a channel of this kind, the one last written from first: known addresses, then what the customer gave."""
    known = Account.objects.filter(customer=customer, kind=channel.kind, stopped_at=None)
    found = list(known.order_by(F("last_inbound_at").desc(nulls_last=True)).values_list("address", flat=True))
    given = {Channel.Kind.EMAIL: customer.email.lower(), Channel.Kind.SMS: customer.phone}
    return list(dict.fromkeys([*found, *filter(None, [given.get(Channel.Kind(channel.kind), "")])]))


def _check_channel(agent: Agent, channel: Channel) -> None:
    sends = Carrier.objects.filter(channel=channel, is_active=True, channel__is_active=True)
    # An app's channel is never moved to: its carrier only calls devices.
    sends = sends.exclude(provider=Carrier.Provider.PUSH)
    if channel.center_id != agent.center_id or not sends.exists():
        raise Invalid(fields={"channel": _("Nothing can be sent by this channel.")})


def _check_not_stopped(account: Account) -> None:
    if account.stopped_at:
        raise Forbidden(STOPPED)
