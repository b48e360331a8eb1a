"""Which carriers there are."""

from chats.models import Carrier

from .provider import Provider

PROVIDERS: dict[str, Provider] = {}


def provider_of(carrier: Carrier) -> Provider:
    return PROVIDERS[carrier.provider]
