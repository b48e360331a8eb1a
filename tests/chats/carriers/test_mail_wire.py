"""Connections to mail servers: safe ones, none into the house, and none that outlast their time; mail that cannot be taken holds up none."""

import socket
import ssl
import threading
import time
from typing import Any

import pytest
from django.utils import timezone

from chats import tasks
from chats.carriers.mail import imap, taking, wire
from chats.carriers.mail.provider import Mail
from chats.carriers.provider import Parcel
from chats.errors import Invalid
from chats.models import Account, Carrier, Chat
from contactcenter.celery import SWEEPS
from tests.chats.carriers.mail_servers import OWN, SECRET
from tests.chats.carriers.test_mail import MIA, mail, poll
from tests.chats.carriers.test_ways import said

pytestmark = [pytest.mark.django_db, pytest.mark.dovecot]
SECRETS = {"imap_password": SECRET, "smtp_password": SECRET}


def test_a_check_names_what_is_wrong(world, settings):
    def check(own: str = OWN, secrets: Any = SECRETS, **changes: Any) -> str:
        return Mail().check(own, world.settings | changes, secrets, 10)

    assert check() == ""
    assert check(secrets={}) == (
        "IMAP: The mail server refused the name or the password. SMTP: The mail server refused the name or the password."
    )
    assert check(folder="Büro & Co") == "IMAP: The mailbox has no folder Büro & Co."
    assert check(imap_host="") == ""
    assert check(smtp_security="starttls").startswith("SMTP: The mail server does not offer")
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert check() == " ".join(
        f"{each}: The address leads to a network that is not called." for each in ("IMAP", "SMTP")
    )


def test_only_a_server_whose_certificate_counts_is_told_the_password(world, monkeypatch):
    box = world.box
    for security, port in (("ssl", box.imaps), ("starttls", box.imap)):
        wanted = world.settings | {"imap_host": "localhost", "imap_security": security, "imap_port": port}
        with (
            pytest.raises(wire.Trouble, match="No safe connection"),
            imap.opened(wanted, SECRETS, time.monotonic() + 10),
        ):
            pass
        with monkeypatch.context() as patch:
            known = ssl.create_default_context(cafile=box.home / "cert.pem")
            patch.setattr(wire, "trusted", lambda known=known: known)
            patch.setattr(imap, "trusted", lambda known=known: known)
            with imap.opened(wanted, SECRETS, time.monotonic() + 10) as opened:
                assert opened.validity


def test_a_server_that_drips_is_left_at_the_end_of_the_time(world):
    """One byte now and then keeps every single step alive; the conversation ends all the same."""
    listening = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def drip() -> None:
        connected, _address = listening.accept()
        with connected:
            try:
                while not done.wait(0.05):
                    connected.sendall(b"2")
            except OSError:
                pass

    dripping = threading.Thread(target=drip)
    dripping.start()
    port = listening.getsockname()[1]
    result = Mail().send(parcel(world.settings | {"smtp_port": port}), None, 0.5)  # type: ignore[arg-type]
    done.set()
    dripping.join(10)
    listening.close()
    assert (result.is_sent, result.again) == (False, True)
    gone = Mail().send(parcel(world.settings | {"smtp_port": port}), None, 5)  # type: ignore[arg-type]
    assert (gone.error, gone.again, gone.was_answered) == (
        "No connection to the mail server: Connection refused.",
        True,
        False,
    )


def parcel(settings: Any) -> Parcel:
    return Parcel(
        id="0",
        own=OWN,
        address=MIA,
        text="Hi",
        files=(),
        sender_name="Ann",
        center_name="Acme",
        language="en",
        settings=settings,
        secrets=SECRETS,
        facts={},
        status_url="",
    )


def test_addresses_have_one_spelling():
    assert Mail().address(" Mia@Example.com ", OWN) == MIA
    for odd in (
        "",
        "mia",
        OWN,
        "müa@example.com",
        '"a b"@example.com',
        "a@b@c.de",
        "a@example.com\nBcc: b@c.de",
        "a" * 300 + "@b.de",
    ):
        with pytest.raises(Invalid):
            Mail().address(odd, OWN)


def test_a_mail_that_cannot_be_taken_holds_up_none(acme, world, monkeypatch):
    channel = world.channel(acme)
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each) for each in range(60))
    head = b"From: Mia <mia@example.com>\nMessage-ID: <poison@x>\n"
    large = mail("x" * 70_000, number=3)
    receive = taking.receive

    def breaking(*args: Any, **more: Any) -> Any:
        if args[1].text.startswith("Break"):
            raise RuntimeError("a fault of ours")
        return receive(*args, **more)

    monkeypatch.setattr(taking, "receive", breaking)
    monkeypatch.setattr(imap, "MOST_BYTES", 60_000)
    world.box.deliver(
        mail("First"), head + nested, mail("Break it", number=2), b"Subject: nobody\n\nx", large, mail("Last", number=4)
    )
    assert poll(channel) == 6
    chat = Chat.objects.get()
    assert said(chat) == [
        "First",
        "A mail that cannot be shown.",
        "A mail that cannot be shown.",
        "A mail that is too large to be shown. It is in the mailbox.",
        "Last",
    ]
    assert [file.name for file in chat.attachments.all()] == ["mail.txt", "mail.txt"]
    assert world.box.unread() == 1  # nobody sent it


def test_the_sweep_reads_each_mailbox_and_none_sees_anothers_customers(acme, globex, world, monkeypatch):
    ours, other = world.channel(acme), world.channel(globex, address="help@globex.example")
    world.channel(acme, "out@acme.example", imap_host="")  # which only sends
    poll(ours)
    poll(other)  # both are in this mailbox before the mail comes
    asked: list[Any] = []
    monkeypatch.setattr(tasks, "publish", lambda *work: asked.append(work))
    world.box.deliver(mail("Hello"))
    tasks.sweep_mailboxes()
    assert sorted(asked) == sorted(("read_mailbox", str(each.carrier.pk)) for each in (ours, other))
    for _name, carrier_id in asked:
        tasks.read_mailbox(carrier_id)
    tasks.read_mailbox(str(acme.center.pk))  # an unknown id
    assert Account.objects.filter(address=MIA).count() == Chat.objects.count() == 2
    for channel in (ours, other):
        chat = Chat.objects.get(channel=channel)
        assert (chat.center_id, chat.customer.center_id) == (channel.center_id, channel.center_id)
    assert "chats.tasks.sweep_mailboxes" in SWEEPS
    assert timezone.now() >= Carrier.objects.get(channel=ours).checked_at
