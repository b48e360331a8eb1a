"""How a chat travels: it is on one channel at a time, the one on which its customer last wrote, or to which an agent has moved it."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from chats.deadlines import CUSTOMER_LEASE
from chats.due import ask_routing
from chats.events import ChatMoved, Record, number, record
from chats.models import Account, Carriage, Chat, Customer, Participant
from contactcenter.models import Channel, Registration

from .connectors import connector_of


def account_of(
    channel: Channel, address: str, *, name: str = "", customer: Customer | None = None, now: datetime
) -> Account:
    """The customer's address on this kind of channel, made with a customer when it is new, with the customer's row locked.

    Of two first messages at the same moment the second waits here, and finds what the first has made. `customer`: whose a new address is.
    """
    rows = Account.objects.filter(center_id=channel.center_id, kind=channel.kind, address=address)
    if not rows.exists():
        try:
            with transaction.atomic():
                _make(channel, address, name, customer, now)
        except IntegrityError:
            pass  # just made by another
    account: Account = rows.get()
    account.customer = Customer.objects.select_for_update(no_key=True).get(pk=account.customer_id)
    if account.customer.erased_at is not None:  # while we waited: whoever writes now is somebody new
        return account_of(channel, address, name=name, now=now)
    return account


def move(
    chat: Chat,
    channel: Channel,
    account: Account,
    *,
    facts: dict[str, Any] | None = None,
    sender: Participant | None = None,
    now: datetime,
) -> None:
    """From now on the locked chat travels by this channel to this address. What is as wanted already is no event; facts are merged.

    One that a connector carries stays with it: its program would go on to take what is said.
    """
    if chat.is_foreign and connector_of(chat.pk):
        return
    way = Carriage.objects.filter(chat=chat).first()
    if way is None:
        way = Carriage(center_id=chat.center_id, chat=chat, home=None if chat.is_carried else chat.channel)
    is_new = (way.channel_id, way.account_id, chat.channel_id) != (channel.pk, account.pk, channel.pk)
    way.channel, way.account = channel, account
    way.facts = ({} if is_new else way.facts) | (facts or {})
    way.save()
    if not is_new:
        return
    chat.channel, chat.is_carried = channel, True
    chat.participants.filter(kind=Participant.Kind.CUSTOMER).update(lease_until=None)
    moved = ChatMoved(channel=channel.kind, name=channel.name, address=account.address)
    record(chat, moved, sender=sender, now=now)
    if chat.is_waiting:
        ask_routing([chat.team_id], now)


def return_home(chat: Chat, sender: Participant, now: datetime) -> list[Record]:
    """The customer has written on the website or in the app again: the locked chat is there. The caller saves the heads and stores the records."""
    way = Carriage.objects.filter(chat=chat).exclude(home=None).select_related("home").first()
    if way is None or way.home is None:
        return []  # it never had another place
    home: Channel = way.home
    way.delete()
    chat.channel, chat.is_carried = home, False
    Chat.objects.filter(pk=chat.pk).update(channel=home, is_carried=False)
    if not _is_of_space(home):  # its apps are not asked for signs of life
        Participant.objects.filter(pk=sender.pk).update(lease_until=now + CUSTOMER_LEASE)
    moved = ChatMoved(channel=home.kind, name=home.name)
    return [Record(chat, number(chat, moved, sender=sender, now=now))]


def bring_home(chat: Chat, channel: Channel, *, now: datetime) -> None:
    """A program takes the locked chat from the way it travels to the website or app on which it began, else to this channel.

    Whether its customer is there nobody knows: it is asked for no signs of life until it writes.
    """
    way = Carriage.objects.filter(chat=chat).select_related("home").first()
    home = way.home if way and way.home else channel
    if way is not None:
        way.delete()
    chat.channel, chat.is_carried = home, False
    record(chat, ChatMoved(channel=home.kind, name=home.name), now=now)
    if chat.is_waiting:
        ask_routing([chat.team_id], now)


def _is_of_space(channel: Channel) -> bool:
    return channel.registrations.filter(protocol=Registration.Protocol.COMAPI).exists()


def _make(channel: Channel, address: str, name: str, customer: Customer | None, now: datetime) -> None:
    if customer is None:
        own = {Channel.Kind.SMS: "phone", Channel.Kind.EMAIL: "email"}.get(Channel.Kind(channel.kind))
        fields = {own: address[:32] if own == "phone" else address} if own else {}
        customer = Customer.objects.create(center_id=channel.center_id, name=name[:100], last_seen_at=now, **fields)
    Account.objects.create(center_id=channel.center_id, kind=channel.kind, address=address, customer=customer)
