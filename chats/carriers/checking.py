"""Whether a carrier's provider knows us, asked by an administrator."""

from datetime import datetime

from chats.models import Carrier

from .registry import PROVIDERS

SECONDS = 10.0


def check_carrier(carrier: Carrier, now: datetime) -> str:
    """What is wrong as a sentence, or nothing; noted on its row. The network is asked outside of any transaction."""
    provider = PROVIDERS.get(carrier.provider)
    if provider is None:
        trouble = "This server does not speak to this provider."
    else:
        trouble = provider.check(carrier.channel.address, carrier.settings, carrier.secrets, SECONDS)
    Carrier.objects.filter(pk=carrier.pk).update(checked_at=now, **Carrier.trouble(trouble, now))
    return trouble
