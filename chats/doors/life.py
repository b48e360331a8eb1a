"""Customers' clients that ask now and then: who asks is there."""

from datetime import datetime, timedelta
from functools import partial

from chats.actions.read import renew_leases
from chats.actions.start import CUSTOMER_LEASE
from chats.models import Participant

from .bookkeeping import unless_away

# A lease lasts 90 seconds; whoever polls each second need not renew it each time.
LEASE_AGES = timedelta(seconds=10)


def give_sign_of_life(customer: Participant, now: datetime) -> None:
    """Renew the lease of an open chat's customer; who stops asking is reminded and then leaves, as the team says."""
    if customer.lease_until is None or customer.lease_until <= now + CUSTOMER_LEASE - LEASE_AGES:
        unless_away(partial(renew_leases, [customer.pk], until=now + CUSTOMER_LEASE))
