"""However an address inside is written, nobody there is called: by none of the ways out that a center can point somewhere."""

import time
from contextlib import suppress

import pytest

from chats.carriers.mail import wire
from chats.outbox.sending import Sender
from tests.chats.outbox.test_guard import REFUSED, answers

HOSTS = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "0"),
    *("0.0.0.0", "127.8.8.8", "localhost", "LOCALHOST", "localhost.", "①②⑦.0.0.1", "127。0。0。1", "127.0.0.1%00"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
]  # fmt: skip
REDIRECTS = [301, 302, 303, 307, 308]
INSIDE = "calls inside"


def post(url: str, host: str, port: int) -> bool:
    with Sender() as sender:
        return sender.post(url, b"{}", {}, seconds=2).status is not None


def mail(url: str, host: str, port: int) -> bool:
    with suppress(wire.Trouble):
        wire.connect(host.strip("[]"), port, time.monotonic() + 2).close()
        return True
    return False


@pytest.mark.parametrize("reach", [post, mail])
def test_no_way_of_writing_loopback_leads_there(reach, receiver, settings, figures):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    for host in HOSTS:
        is_reached = reach(f"http://{host}:{receiver.port}/hook", host, receiver.port) or bool(receiver.calls)
        figures.count(INSIDE, found=is_reached)
        assert not is_reached, host


def test_no_name_leads_inside_whatever_it_is_said_to_stand_for(receiver, settings, monkeypatch, figures):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    for address in REFUSED:
        for told in ([address], ["8.8.8.8", address]):
            for reach in (post, mail):
                answers(monkeypatch, told)
                is_reached = reach(f"http://rebind.example:{receiver.port}/", "rebind.example", receiver.port)
                figures.count(INSIDE, found=is_reached)
                assert not is_reached, told
    assert not receiver.calls


@pytest.mark.parametrize("status", REDIRECTS)
def test_no_receiver_sends_us_elsewhere(receiver, status, figures):
    for host in HOSTS:
        receiver.answer = lambda call, host=host: (status, {"Location": f"http://{host}:{receiver.port}/inside"}, b"")
        with Sender() as sender:
            sender.post(receiver.url, b"{}", {}, seconds=2)
        is_reached = any(call.path == "/inside" for call in receiver.calls)
        figures.count(INSIDE, found=is_reached)
        assert not is_reached, host
