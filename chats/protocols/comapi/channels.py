"""channelId: appMessaging is the space's own app, the others those channels of the center of which somebody sends."""

from collections.abc import Iterator

from chats.actions.space_chats import Reach
from chats.carriers.addresses import known_addresses
from chats.carriers.registry import PROVIDERS
from chats.errors import Invalid
from chats.models import Carrier, Customer
from contactcenter.models import Registration, Team

from .names import APP, KINDS

NO_CHANNEL = "This is no configured channel."
NO_ADDRESS = "No address of this customer is known on this channel."


def wanted_reach(registration: Registration, channel_id: str, customer: Customer, team: Team) -> Reach:
    """How this customer is reached there: by the team's own channel of this kind if it has one. Raises Invalid."""
    check_channel(registration, channel_id)
    if channel_id == APP:
        return Reach(channel=registration.channel)
    for carrier in _carriers(registration, channel_id, team):
        if addresses := known_addresses(customer, carrier):
            return Reach(channel=carrier.channel, address=addresses[0])
    raise Invalid(fields={"channelId": NO_ADDRESS})


def check_channel(registration: Registration, channel_id: str) -> None:
    """Raises Invalid for one that is not configured."""
    if channel_id != APP and not any(_carriers(registration, channel_id)):
        raise Invalid(fields={"channelId": NO_CHANNEL})


def _carriers(registration: Registration, channel_id: str, team: Team | None = None) -> Iterator[Carrier]:
    kind = KINDS.get(channel_id)
    live = Carrier.objects.filter(
        center_id=registration.center_id, channel__kind=kind, is_active=True, channel__is_active=True
    )
    known = live.filter(provider__in=PROVIDERS).select_related("channel__team", "channel__center")
    found = known.defer("kept_secrets", "bookmark").order_by("created_at", "pk") if kind else ()
    yield from sorted(found, key=lambda one: team is None or one.channel.team_id != team.pk)
