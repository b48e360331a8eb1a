"""Real mail servers on this machine: Dovecot keeps our mailbox, an SMTP server takes what we send."""

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from chats.models import Carrier
from contactcenter.models import Channel

OWN = "help@acme.example"
SECRET = "correct horse"
CONFIG = """
base_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{home}/mail/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {home}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
{own_user}
"""
OWN_USER = """
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
service anvil {{
  chroot =
}}
"""


@dataclass
class Box:
    """Our mailbox, as the mail servers of the world see it."""

    imap: int
    imaps: int
    home: Path
    user: str = "help"

    def deliver(self, *mails: bytes | EmailMessage) -> None:
        with self._signed_in() as client:
            for mail in mails:
                data = mail if isinstance(mail, bytes) else mail.as_bytes()
                done, said = client.append("INBOX", "", None, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
                assert done == "OK", said

    def unread(self) -> int:
        with self._signed_in() as client:
            client.select("INBOX", readonly=True)
            return len(client.search(None, "UNSEEN")[1][0].split())

    def empty(self) -> None:
        with self._signed_in() as client:
            if client.select("INBOX")[1] != [b"0"]:
                client.store("1:*", "+FLAGS", r"(\Deleted)")
                client.expunge()

    def _signed_in(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.imap)
        client.login(self.user, SECRET)
        return client


class Post(Controller):
    """An SMTP server that wants a name and a password. `refuse`: recipients and what they are answered."""

    def __init__(self, port: int) -> None:
        self.taken: list[tuple[Any, bytes]] = []
        self.refuse: dict[str, str] = {}
        super().__init__(self, "127.0.0.1", port, authenticator=self.allow, auth_require_tls=False)

    def allow(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"help", SECRET.encode())
        return AuthResult(success=known, handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if not session.authenticated:
            return "530 who are you"
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append((envelope, envelope.content))
        return "250 taken"

    @property
    def mails(self) -> list[Any]:
        return [BytesParser(policy=default).parsebytes(data) for _envelope, data in self.taken]


@dataclass
class World:
    box: Box
    post: Post
    settings: dict[str, Any] = field(default_factory=dict)

    def channel(self, place: Any, address: str = OWN, **settings: Any) -> Channel:
        """A mailbox of a center, with its carrier."""
        channel = Channel.objects.create(
            center=place.center, kind="email", name="Mail", address=address, team=place.support
        )
        carrier = Carrier(center=place.center, channel=channel, provider="mail", settings=self.settings | settings)
        carrier.keep_secrets({"imap_password": SECRET, "smtp_password": SECRET})
        carrier.save()
        return channel


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Box]:
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    home.chmod(0o755)
    is_root = os.geteuid() == 0
    keeper = pwd.getpwnam("mail") if is_root else pwd.getpwuid(os.geteuid())
    (home / "mail").mkdir()
    os.chown(home / "mail", keeper.pw_uid, keeper.pw_gid)
    (home / "users").write_text(f"help:{SECRET}\n")
    keys = f"-keyout {home}/key.pem -out {home}/cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 {keys}"
    subprocess.run(command.split(), check=True, capture_output=True)
    box = Box(free_port(), free_port(), home)
    user, group = pwd.getpwuid(os.geteuid()).pw_name, str(os.getegid())
    own_user = "" if is_root else OWN_USER.format(user=user, group=group)
    ids = {"uid": keeper.pw_uid, "gid": keeper.pw_gid}
    (home / "conf").write_text(CONFIG.format(home=home, imap=box.imap, imaps=box.imaps, own_user=own_user, **ids))
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    running = subprocess.Popen([program, "-F", "-c", home / "conf"], stderr=subprocess.PIPE)
    try:
        _wait_for(box.imap, running, home / "log")
        yield box
    finally:
        running.terminate()
        running.wait(10)
        running.stderr.close()  # type: ignore[union-attr]
        shutil.rmtree(home, ignore_errors=True)


def _wait_for(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            running.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    raise RuntimeError(f"Dovecot did not start: {log.read_text() if log.exists() else running.stderr.read()!r}")  # type: ignore[union-attr]


@pytest.fixture
def world(dovecot: Box, settings: Any, db: None) -> Iterator[World]:
    """An empty mailbox, and nothing sent yet."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    dovecot.empty()
    post = Post(free_port())
    post.start()
    ports = {"imap_port": dovecot.imap, "smtp_port": post.port}
    plain = {"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1", "imap_security": "none", "smtp_security": "none"}
    try:
        yield World(dovecot, post, plain | ports | {"imap_user": "help", "smtp_user": "help"})
    finally:
        post.stop()
