"""Which carriers there are."""

from chats.models import Carrier

from .provider import Provider

PROVIDERS: dict[str, Provider] = {}


def usual_provider(kind: str) -> str:
    """By which channels of this kind travel unless somebody chooses another; empty: by none."""
    return next((str(name) for name, of in Carrier.KINDS.items() if of == kind), "")


def provider_of(carrier: Carrier) -> Provider:
    return PROVIDERS[carrier.provider]
