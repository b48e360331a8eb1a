"""Messages that a program brings in for a customer's app, each once: known by the mark that the program gave it (models.Arrival)."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chats.models import Arrival, Customer
from contactcenter.models import Channel

from .post import Posted

Take = Callable[[], Posted]


@transaction.atomic
def take_once(channel: Channel, customer: Customer, mark: str, take: Take, *, now: datetime) -> tuple[UUID, int]:
    """What `take` posts: (the chat's id, the message's index). A repeat is answered as the first one was."""
    # With the customer's row locked: a repeat at the same moment waits for it.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    known = Arrival.objects.filter(channel=channel, external_id=mark, chat__customer=customer).first()
    if known is not None and known.chat_id and known.index:
        return known.chat_id, known.index
    posted = take()
    made = Arrival(center_id=channel.center_id, channel=channel, external_id=mark, at=now)
    made.chat_id, made.index = posted.chat_id, posted.index
    made.save(force_insert=True)
    return posted.chat_id, posted.index or 0
