"""Customers' addresses in the one spelling of a carrier."""

from django.utils.translation import gettext_lazy as _

from chats.actions.reach_out import addresses_of
from chats.errors import Invalid
from chats.models import Account, Carrier, Customer

from .registry import provider_of

MOST_ADDRESS = 254  # characters of models.Account.address


def address_on(carrier: Carrier, value: str) -> str:
    """A customer's address in the carrier's one spelling. Raises Invalid."""
    try:
        address = provider_of(carrier).address(value, carrier.channel.address)
    except Invalid as refused:
        raise Invalid(refused.message, fields=refused.fields or {"address": refused.message}) from None
    if len(address) > MOST_ADDRESS:
        raise Invalid(fields={"address": _("This is too long.")})
    return address


def known_addresses(customer: Customer, carrier: Carrier) -> list[str]:
    """Where the customer is reached, in the carrier's spelling; what is no address there, or wants no more messages, is left out."""
    found = []
    for given in addresses_of(customer, carrier.channel):
        try:
            found.append(address_on(carrier, given))
        except Invalid:
            continue
    stopped = Account.objects.filter(center=customer.center_id, kind=carrier.channel.kind, address__in=found)
    gone = set(stopped.exclude(stopped_at=None).values_list("address", flat=True))
    return [address for address in dict.fromkeys(found) if address not in gone]
