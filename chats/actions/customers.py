"""Writing customers: who they are, whether they may write."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from chats.errors import Conflict, NotFound
from chats.events import CustomerUpdated, record
from chats.models import Chat, Customer, ForeignCustomer, Participant

from .close import close_chat

# customer, names (of its fields that have changed), source (the profile that said so, or None), now; within the transaction.
changed = Signal()

OWN_FIELDS = ("name", "email", "phone", "language", "time_zone", "notes")


@transaction.atomic
def update_customer(
    customer: Customer, changes: dict[str, Any], *, now: datetime, source: ForeignCustomer | None = None
) -> Customer:
    """Change own fields, and `data` (keys are merged, None removes one). The open chat's log tells the staff. Raises NotFound for who is erased."""
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if customer.erased_at is not None:
        raise NotFound
    written = {
        name: value for name, value in changes.items() if name in OWN_FIELDS and getattr(customer, name) != value
    }
    for name, value in written.items():
        setattr(customer, name, value)
    for key, value in changes.get("data", {}).items():
        if customer.data.get(key) != value:
            written[key] = value
            customer.data = {k: v for k, v in (customer.data | {key: value}).items() if v is not None}
    if not written:
        return customer
    customer.save()
    chat = customer.chats.open().locked().first()
    if chat:
        if "name" in written:
            chat.participants.filter(kind=Participant.Kind.CUSTOMER).update(name=customer.name)
        # What staff keep for themselves stands on the record alone; a line that names nothing would tell nothing.
        shown = {name: value for name, value in written.items() if name != "notes"}
        if shown:
            record(chat, CustomerUpdated(changed=shown), now=now)
    changed.send(Customer, customer=customer, names=set(written), source=source, now=now)
    return customer


@transaction.atomic
def block_customer(customer: Customer, *, until: datetime | None, reason: str, now: datetime) -> Customer:
    """End the customer's open chat and refuse new ones until then (None: for good)."""
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    customer.is_blocked, customer.blocked_until, customer.block_reason = True, until, reason
    customer.save(update_fields=["is_blocked", "blocked_until", "block_reason"])
    for chat_id in customer.chats.open().values_list("pk", flat=True):
        close_chat(customer.chats, chat_id, reason=Chat.CloseReason.OPERATOR, now=now)
    return customer


def unblock_customer(customer: Customer) -> Customer:
    customer.is_blocked, customer.blocked_until, customer.block_reason = False, None, ""
    customer.save(update_fields=["is_blocked", "blocked_until", "block_reason"])
    return customer


@transaction.atomic
def merge_customers(customer: Customer, into: Customer) -> Customer:
    """Two records of one person become one: chats and sessions move, empty fields are filled. Raises Conflict when both have a chat open."""
    ids = sorted([customer.pk, into.pk])
    rows = {row.pk: row for row in Customer.objects.filter(pk__in=ids).order_by("id").select_for_update()}
    customer, into = rows[customer.pk], rows[into.pk]
    if customer.pk == into.pk or customer.merged_into_id or into.merged_into_id or customer.erased_at or into.erased_at:
        raise Conflict(_("These customers cannot be merged."))
    if customer.chats.open().exists() and into.chats.open().exists():
        raise Conflict(_("Both customers have a chat open. Close one first."))
    customer.chats.update(customer=into)
    customer.sessions.update(customer=into)
    customer.offline_messages.update(customer=into)
    customer.accounts.update(customer=into)
    # A foreign API that knows both keeps the one that stays.
    known = ForeignCustomer.objects.filter(customer=into).values("registration_id")
    customer.foreign.exclude(registration_id__in=list(known.values_list("registration_id", flat=True))).update(
        customer=into
    )
    for name in OWN_FIELDS:
        setattr(into, name, getattr(into, name) or getattr(customer, name))
    into.data = customer.data | into.data
    into.save()
    customer.merged_into = into
    customer.save(update_fields=["merged_into"])
    return into
