"""STOP and START: whether somebody wants our messages. It holds for the number, whatever becomes of the chat."""

from datetime import datetime

from django.db import transaction

from chats.actions.receive import Inbound, receive
from chats.actions.ways import account_of
from chats.errors import Refused
from chats.models import Account, Arrival, Chat
from contactcenter.models import Channel


def note_stop(channel: Channel, inbound: Inbound, *, now: datetime) -> None:
    """From now on nothing is sent to this number. Said in the chat that travels to it, if one is open; it begins none. Raises TooMany."""
    with transaction.atomic():
        account = _account(channel, inbound, now)
        refusal = None if _is_known(channel, inbound) else _note(channel, account, inbound, now, stopped_at=now)
    if refusal:
        raise refusal


def note_start(channel: Channel, inbound: Inbound, *, now: datetime) -> None:
    """Who had stopped gets messages again, and no chat begins. From everybody else it is a message like any other: "yes" answers much. Raises TooMany, Invalid."""
    with transaction.atomic():
        account = _account(channel, inbound, now)
        if account.stopped_at is None:
            receive(channel, inbound, now=now)
            return
        refusal = None if _is_known(channel, inbound) else _note(channel, account, inbound, now, stopped_at=None)
    if refusal:
        raise refusal


def _account(channel: Channel, inbound: Inbound, now: datetime) -> Account:
    account = account_of(channel, inbound.address, now=now)
    account.refresh_from_db(fields=["stopped_at"])  # it may have been read before the customer's row was locked
    return account


def _is_known(channel: Channel, inbound: Inbound) -> bool:
    """A repeated STOP must not undo the START that came after it."""
    return Arrival.objects.filter(channel=channel, external_id=inbound.external_id).exists()


def _note(
    channel: Channel, account: Account, inbound: Inbound, now: datetime, *, stopped_at: datetime | None
) -> Refused | None:
    """Why the chat did not take the message; the wish is noted all the same."""
    Account.objects.filter(pk=account.pk).update(stopped_at=stopped_at, last_inbound_at=now)
    # A chat that is elsewhere by now, in a mail or on the website, is not drawn to the number that was just stopped.
    if Chat.objects.open().filter(carriage__account=account, is_carried=True).locked().first():
        try:
            receive(channel, inbound, now=now)
        except Refused as refusal:
            return refusal
    else:
        Arrival.objects.create(center_id=channel.center_id, channel=channel, external_id=inbound.external_id, at=now)
    return None
