"""Erasing a customer (GDPR, article 17): the words go, the numbers stay."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chats.due import do_soon
from chats.erasure import EMPTIED, EMPTY_EVENTS, FOREIGN, GONE, MARK, PARTLY_EMPTY_EVENTS
from chats.errors import Conflict
from chats.events import ChatErased, record
from chats.models import (
    Account,
    Attachment,
    Carriage,
    Chat,
    Customer,
    Delivery,
    Dispatch,
    Event,
    FileRemoval,
    ForeignChat,
    ForeignCustomer,
    OutboundMessage,
    Participant,
)
from contactcenter import audit
from contactcenter.models import Application, User

from .close import close_chat

MOST_LOOKS = 10  # for the records of one person, should they be merged meanwhile


@transaction.atomic
def erase_customer(customer: Customer, *, by: User | Application, now: datetime) -> Customer:
    """Empty all that is kept of a person: this record, those merged into it and the one that it was merged into, with all their chats.

    An open chat is closed first, without a word. All happens in one transaction, so that a crash leaves all or nothing; only the files go after it,
    and their rows (FileRemoval) say so until they are gone. Erasing again is harmless, and takes what staff have added since.
    """
    people = _lock_people(customer)
    ids = [person.pk for person in people]
    # Whoever writes into one of these chats, or tells of it, is waited for.
    chats = [chat.pk for chat in Chat.objects.filter(customer__in=ids).locked()]
    _forget_addresses(ids, chats)
    _remove_files(chats, now)
    _forget_calls(ids, chats)
    _forget_admin_pages(ids, chats)
    _delete(GONE, ids, chats)
    _empty_rows(ids, chats, now)
    _empty_events(chats)
    for chat_id in Chat.objects.open().filter(pk__in=chats).order_by("pk").values_list("pk", flat=True):
        close_chat(Chat.objects, chat_id, reason=Chat.CloseReason.OPERATOR, is_silent=True, now=now)
    _delete(FOREIGN, ids, chats)
    Chat.objects.filter(pk__in=chats).update(is_foreign=False, is_carried=False)
    _tell(chats, now)
    _note(people, chats, by)
    return Customer.objects.get(pk=customer.pk)


def _lock_people(customer: Customer) -> list[Customer]:
    """All records of this person, locked in id order as everywhere."""
    ids = _records_of(customer.pk)
    for _look in range(MOST_LOOKS):
        people = list(Customer.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True))
        found = _records_of(customer.pk)
        if found == ids:
            return people
        ids = found
    raise Conflict(_("This customer is being merged. Try again in a moment."))


def _records_of(customer_id: UUID) -> set[UUID]:
    """This record, and all that a chain of merges joins to it."""
    known: set[UUID] = set()
    pending = {customer_id}
    while pending:
        known |= pending
        joined = Customer.objects.filter(Q(merged_into__in=pending) | Q(merged__in=pending))
        pending = set(joined.values_list("pk", flat=True)) - known
    return known


def _chosen(path: str, people: list[UUID], chats: list[UUID]) -> dict[str, Any]:
    """The filter behind a path that ends in `customer` or `chat`."""
    return {f"{path}__in": people if path.endswith("customer") else chats}


def _delete(table: Iterable[tuple[Any, str]], people: list[UUID], chats: list[UUID]) -> None:
    for model, path in table:
        model.objects.filter(**_chosen(path, people, chats)).delete()


def _forget_addresses(people: list[UUID], chats: list[UUID]) -> None:
    """What travels to their addresses, and what programs have sent there outside of any chat."""
    accounts = Account.objects.filter(customer__in=people)
    Dispatch.objects.filter(account__in=accounts).delete()
    Carriage.objects.filter(account__in=accounts).delete()
    addresses = set(accounts.values_list("address", flat=True))
    addresses.update(ForeignChat.objects.filter(chat__in=chats).values_list("account", flat=True))
    for person in Customer.objects.filter(pk__in=people):
        addresses.update((person.phone, person.email, person.email.lower()))
    center = Customer.objects.filter(pk__in=people).values("center")
    sent = OutboundMessage.objects.filter(center__in=center, account__in=addresses - {""})
    sent.delete()


def _remove_files(chats: list[UUID], now: datetime) -> None:
    """Their rows go with the others: from the commit on nobody is given one."""
    removals = [
        FileRemoval(center_id=one.center_id, path=str(file.name), asked_at=now)
        for one in Attachment.objects.filter(chat__in=chats)
        for file in (one.file, one.thumbnail)
        if file
    ]
    FileRemoval.objects.bulk_create(removals)
    for removal in removals:
        do_soon("remove_file", removal.pk)


def _forget_calls(people: list[UUID], chats: list[UUID]) -> None:
    """What web hooks were told, or were to be told; but not that all is erased."""
    numbers = _calls_without_chat(people)
    calls = Delivery.objects.filter(Q(chat__in=chats) | Q(number__in=numbers)).exclude(event=ChatErased.type)
    # In the order in which whoever notes their outcome locks them.
    locked = [one.number for one in calls.order_by("number").select_for_update().only("number")]
    Delivery.objects.filter(number__in=locked).delete()


def _calls_without_chat(people: list[UUID]) -> list[int]:
    """Those that told of a profile, a conversation or a user of theirs, and belong to no chat."""
    profiles = ForeignCustomer.objects.filter(customer__in=people)
    names = {str(one) for one in people}
    registrations = set()
    for profile in profiles.prefetch_related("conversations", "app_sessions"):
        registrations.add(profile.registration_id)
        names.update(filter(None, [str(profile.pk), profile.external_id]))
        names.update(one.external_id for one in profile.conversations.all())
        names.update(str(one.pk) for one in profile.app_sessions.all())
    filed = Delivery.objects.filter(chat=None, webhook__registration__in=registrations).only("number", "payload")
    return [one.number for one in filed.iterator() if _mentions(one.payload, names)]


def _mentions(value: Any, names: set[str]) -> bool:
    """Whether one of these stands in a payload, as a value or as a key."""
    if isinstance(value, dict):
        return any(_mentions(part, names) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_mentions(part, names) for part in value)
    return value in names if isinstance(value, str) else False


def _forget_admin_pages(people: list[UUID], chats: list[UUID]) -> None:
    """Django's admin writes the names of what was changed."""
    rows: dict[Any, list[Any]] = {Customer: people, Chat: chats}
    for model, path in (*GONE, *FOREIGN):
        found = model._default_manager.filter(**_chosen(path, people, chats)).values_list("pk", flat=True)
        rows[model] = list(found)
    for model, ids in rows.items():
        kind = ContentType.objects.get_for_model(model)
        LogEntry.objects.filter(content_type=kind, object_id__in=[str(one) for one in ids]).update(object_repr="")


def _empty_rows(people: list[UUID], chats: list[UUID], now: datetime) -> None:
    persons = Customer.objects.filter(pk__in=people)
    persons.update(**EMPTIED[Customer], is_identified=False, is_blocked=False, blocked_until=None, last_seen_at=None)
    persons.filter(erased_at=None).update(erased_at=now)
    Chat.objects.filter(pk__in=chats).update(**EMPTIED[Chat])
    names = Participant.objects.filter(chat__in=chats, kind=Participant.Kind.CUSTOMER)
    names.update(**EMPTIED[Participant])
    ForeignChat.objects.filter(chat__in=chats).update(**EMPTIED[ForeignChat])


def _empty_events(chats: list[UUID]) -> None:
    events = Event.objects.filter(chat__in=chats)
    events.update(**EMPTIED[Event])
    events.filter(sender_kind=Participant.Kind.CUSTOMER).update(sender_name="")
    for kind, data in EMPTY_EVENTS.items():
        events.filter(type=kind).update(data=data | {MARK: True})
    for event in events.filter(type__in=PARTLY_EMPTY_EVENTS):
        data = event.data | PARTLY_EMPTY_EVENTS[event.type] | {MARK: True}
        Event.objects.filter(chat=event.chat_id, position=event.position).update(data=data)


def _tell(chats: list[UUID], now: datetime) -> None:
    """Once: a repeat takes no number."""
    told = Event.objects.filter(chat__in=chats, type=ChatErased.type).values("chat_id")
    for chat in Chat.objects.filter(pk__in=chats).exclude(pk__in=told).order_by("pk"):
        record(chat, ChatErased(), now=now)


def _note(people: list[Customer], chats: list[UUID], by: User | Application) -> None:
    """Ids and counts: the audit log cannot be erased."""
    who: dict[str, Any] = {"user": by} if isinstance(by, User) else {"actor": f"application {by.name}"}
    for person in people:
        changes = {"records": len(people), "chats": len(chats)}
        audit.note("erased", center=person.center, subject=f"customer {person.pk}", changes=changes, **who)
