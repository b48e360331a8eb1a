"""Where calls may go."""

import ipaddress
import socket
import threading
import time

import pytest

from chats.outbox import guard
from chats.outbox.guard import AddressRefused, NotResolved, check_url, find_places, is_allowed

PUBLIC = ["93.184.216.34", "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1"]
PUBLIC += ["192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:2800:220:1::1", "2a00:1450::1"]
PUBLIC += ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.1.2.3",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]
NO_PLACE = "leads to a network that is not called"


def answers(monkeypatch, *rounds):
    """What the resolver says: one list of addresses for each time it is asked."""
    left = list(rounds)

    def resolve(host, port, **_):
        addresses = left.pop(0)
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port) if family == socket.AF_INET else (address, port, 0, 0))
            for family, address in zip(families, addresses, strict=True)
        ]

    monkeypatch.setattr(guard.socket, "getaddrinfo", resolve)
    return left


def soon():
    return time.monotonic() + 5


@pytest.fixture(autouse=True)
def nothing_is_allowed(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = []


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address):
    assert is_allowed(address, [])


@pytest.mark.parametrize("address", REFUSED)
def test_no_other_address_is_called(address):
    assert not is_allowed(address, [])


@pytest.mark.parametrize(
    ("address", "network", "allowed"),
    [
        ("10.1.2.3", "10.1.0.0/16", True),
        ("10.2.2.3", "10.1.0.0/16", False),
        ("::ffff:10.1.2.3", "10.1.0.0/16", True),
        ("64:ff9b::10.1.2.3", "10.1.0.0/16", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.2", "127.0.0.1", False),
        ("fd00::5", "fd00::/8", True),
        ("fe80::1%2", "fe80::/10", True),
        ("::1", "127.0.0.0/8", False),
        ("10.1.2.3", "fd00::/8", False),
    ],
)
def test_the_operator_may_allow_networks(address, network, allowed):
    assert is_allowed(address, [ipaddress.ip_network(network)]) is allowed


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "::1", "::ffff:7f00:1"]
)
def test_however_loopback_is_written_it_is_not_called(host):
    with pytest.raises(AddressRefused, match=NO_PLACE):
        find_places(host, 80, soon())


def test_all_addresses_of_a_name_are_judged(monkeypatch):
    answers(monkeypatch, ["8.8.8.8", "2606::1"], ["8.8.8.8", "10.0.0.1"], ["fe80::1", "8.8.8.8"])
    places = find_places("shop.example", 443, soon())
    assert [(place.family, place.address[:2]) for place in places] == [
        (socket.AF_INET, ("8.8.8.8", 443)),
        (socket.AF_INET6, ("2606::1", 443)),
    ]
    for _ in range(2):
        with pytest.raises(AddressRefused, match=NO_PLACE):
            find_places("shop.example", 443, soon())


def test_the_refusal_names_no_address(monkeypatch):
    answers(monkeypatch, ["10.11.12.13"])
    with pytest.raises(AddressRefused) as refused:
        find_places("intranet.example", 443, soon())
    assert "10." not in str(refused.value)


def test_a_name_that_nobody_knows_or_can_be_none(monkeypatch):
    with pytest.raises(NotResolved):
        find_places("x" * 64 + ".example", 80, soon())

    def fail(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(guard.socket, "getaddrinfo", fail)
    with pytest.raises(NotResolved, match="name is not known"):
        find_places("nobody.example", 80, soon())


def test_a_resolver_that_hangs_does_not_hold_us(monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(guard.socket, "getaddrinfo", lambda *_, **__: hold.wait(30) and [])
    with pytest.raises(TimeoutError):
        find_places("slow.example", 80, time.monotonic() + 0.05)
    hold.set()


@pytest.mark.parametrize(
    "url", ["http://a.example", "https://a.example:8443/x?y=1", "http://[::1]:80/", "HTTPS://A.example"]
)
def test_addresses_that_can_be_called(url):
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "unix:/run/x",
        "http://",
        "http:///path",
        "http://a.example:0/",
        "http://a.example:99999/",
        "http://a.example:x/",
        "http://[::1/",
        "http://user@a.example/",
        "http://user:secret@a.example/",
        "http://:@a.example/",
    ],
)
def test_addresses_that_cannot(url):
    with pytest.raises(AddressRefused):
        check_url(url)
