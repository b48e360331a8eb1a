"""Where calls may go: never into the house, unless the operator says so (WEBHOOK_ALLOWED_NETWORKS).

A name is resolved once, all of its addresses are judged, and what is connected to is one of those addresses: a name that answers differently
the next time gains nothing. Ranges are those of the IANA registries of special addresses; what `ipaddress` calls global is not enough
(NAT64, 6to4, 224/4 and 192.0.0.0/24 count as global there).
"""

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REFUSED_4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; clouds tell machines their secrets there
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
GLOBAL_6 = ipaddress.IPv6Network(
    "2000::/3"
)  # all that was ever given out; loopback, fc00, fe80, fec0, ff00 lie outside
REFUSED_6 = [
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo among them, which carries any IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4: the same
        "3fff::/20",
    )
]
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """This is not called, and never will be as things are. The text is for people and names no address."""


class NotResolved(Exception):
    """The name leads nowhere, at least for now."""


@dataclass(frozen=True, slots=True)
class Place:
    """One address to connect to, as the socket module wants it."""

    family: int
    address: tuple[Any, ...]


def check_url(url: str) -> None:
    """Raises AddressRefused for what is not http(s)://host…, and for names and passwords in an address."""
    try:
        parts = urlsplit(url)
        is_fit = url.isascii() and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_fit = False
    if not is_fit:
        raise AddressRefused("The address is not one that can be called.")
    if "@" in parts.netloc:
        raise AddressRefused("An address with a name or password in it is not called.")


def find_places(host: str, port: int, until: float) -> list[Place]:
    """All addresses of a host, each judged. `until`: a moment of time.monotonic(). Raises AddressRefused, NotResolved, TimeoutError."""
    found = [Place(family, address) for family, _, _, _, address in _resolve(host, port, until)]
    allowed = [ipaddress.ip_network(network, strict=False) for network in settings.WEBHOOK_ALLOWED_NETWORKS]
    for place in found:
        if not is_allowed(str(place.address[0]), allowed):
            raise AddressRefused("The address leads to a network that is not called.")
    return found


def is_allowed(address: str, allowed: list[Network]) -> bool:
    """Whether an address is public, or within one of the networks that the operator allows."""
    known = _inner(ipaddress.ip_address(address))
    if any(known in network for network in allowed):
        return True
    if isinstance(known, ipaddress.IPv4Address):
        return not any(known in network for network in REFUSED_4)
    return known in GLOBAL_6 and not any(known in network for network in REFUSED_6)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, or behind a NAT64 gateway."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _resolve(host: str, port: int, until: float) -> list[Any]:
    """getaddrinfo within a time: it has none of its own, so it gets a thread that may be left behind."""
    answer: list[Any] = []
    failure: list[BaseException] = []

    def ask() -> None:
        try:
            answer.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failure.append(error)

    thread = threading.Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(max(until - time.monotonic(), 0))
    if thread.is_alive():
        raise TimeoutError
    if failure or not answer:
        raise NotResolved("The server's name is not known.") from (failure[0] if failure else None)
    return answer
