"""Addresses that a stranger wants called: refused at once where they name a machine of the house."""

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from chats.actions.hook_rules import check_url
from chats.errors import Invalid
from chats.outbox.guard import is_allowed

LOOPBACK = "127.0.0.1"


def check_target(url: str) -> str:
    """The address, trimmed. Raises Invalid for one that can be seen to be wrong; whether its name leads out is looked at whenever it is called."""
    url = check_url(url)
    allowed = [ipaddress.ip_network(network, strict=False) for network in settings.WEBHOOK_ALLOWED_NETWORKS]
    if not all(is_allowed(address, allowed) for address in _named_in(url)):
        raise Invalid(fields={"url": _("This leads to a network that is not called. The operators can allow it.")})
    return url


def _named_in(url: str) -> list[str]:
    """The addresses that can be told without asking anybody; 127.1 and 0x7f000001 are some, too."""
    host = urlsplit(url).hostname or ""
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return [LOOPBACK]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_rest, address in found]
