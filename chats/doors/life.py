"""Customers' clients that ask now and then: who asks is there."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from chats.actions.read import renew_leases
from chats.actions.start import CUSTOMER_LEASE
from chats.models import Participant

from .bookkeeping import unless_away

# A lease lasts 90 seconds; whoever polls each second need not renew it each time.
LEASE_AGES = timedelta(seconds=10)


def is_lease_old(until: datetime | None, now: datetime) -> bool:
    """Whether it is time to renew it."""
    return until is None or until <= now + CUSTOMER_LEASE - LEASE_AGES


def give_sign_of_life(customer: Participant, now: datetime) -> None:
    """Renew the lease of an open chat's customer; who stops asking is reminded and then leaves, as the team says."""
    if is_lease_old(customer.lease_until, now):
        give_signs_of_life([customer.pk], now)


def give_signs_of_life(customers: Iterable[UUID], now: datetime) -> None:
    """The same for several whose leases have aged."""
    unless_away(partial(renew_leases, customers, until=now + CUSTOMER_LEASE))
