"""The commands that reading a mailbox takes (RFC 3501), on a connection of ours.

imaplib keeps the syntax; what a server may say is read within limits of size and time.
"""

import base64
import contextlib
import imaplib
import re
import socket
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from chats.outbox.sending import trusted

from .wire import STEP_SECONDS, Trouble, connect, ends, make_safe, told

PORTS = {"ssl": 993, "starttls": 143, "none": 143}
MOST_BYTES = 30 * 1024 * 1024  # of one mail
MOST_HEADERS = 256 * 1024
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Client(imaplib.IMAP4):
    """imaplib's, on a connection of ours."""

    def __init__(self, host: str, port: int, security: str, until: float) -> None:
        self._until, self._is_safe = until, security == "ssl"
        with ends(until, self):  # from the first byte on
            super().__init__(host, port)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = connect(self.host, self.port, self._until)
        connected = make_safe(plain, self.host) if self._is_safe else plain
        connected.settimeout(STEP_SECONDS)
        return connected


class Mailbox:
    """A folder that is open. `validity`: as long as it stays the same, uids mean the same mails."""

    def __init__(self, client: imaplib.IMAP4, folder: str) -> None:
        self.client = client
        done, _count = client.select(_quoted(folder))
        if done != "OK":
            raise Trouble(_("The mailbox has no folder %(name)s.") % {"name": folder})
        self.validity = int(client.response("UIDVALIDITY")[1][0] or 0)

    def after(self, uid: int) -> list[int]:
        """The uids of what came after this one, oldest first."""
        # n:* names the last mail even where its uid is smaller (RFC 3501, 6.4.8).
        return [found for found in self._search(f"UID {uid + 1}:*") if found > uid]

    def since(self, day: date, *, only_unread: bool = False) -> list[int]:
        """The uids of what has arrived since that day."""
        wanted = f"SINCE {day.day}-{MONTHS[day.month - 1]}-{day.year}"
        return self._search(f"{wanted} UNSEEN" if only_unread else wanted)

    def newest(self) -> int:
        """The uid of the last mail, or 0."""
        return max(self._search("UID *"), default=0)

    def fetch(self, uid: int) -> tuple[bytes, bool]:
        """(the mail, whether it is whole); of one that is too large only its head comes. Nothing when it is gone by now."""
        said = self._uid("FETCH", str(uid), "(RFC822.SIZE)")
        size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(item for item in said if isinstance(item, bytes)))
        is_whole = size is None or int(size[1]) <= MOST_BYTES
        wanted = "(BODY.PEEK[])" if is_whole else f"(BODY.PEEK[HEADER]<0.{MOST_HEADERS}>)"
        parts = [item[1] for item in self._uid("FETCH", str(uid), wanted) if isinstance(item, tuple)]
        return (parts[0] if parts else b""), is_whole

    def mark_read(self, uid: int) -> None:
        self._uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")

    def _search(self, criteria: str) -> list[int]:
        found = self._uid("SEARCH", criteria)
        return sorted(int(uid) for uid in (found[0] or b"").split()) if found else []

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        done, data = self.client.uid(command, *arguments)
        if done != "OK":
            raise Trouble(_("The mail server refused %(command)s.") % {"command": command})
        return data


@contextlib.contextmanager
def opened(settings: Mapping[str, Any], secrets: Mapping[str, str], until: float) -> Iterator[Mailbox]:
    """The folder that the settings name. Whatever goes wrong in it is Trouble."""
    host, security = str(settings["imap_host"]), str(settings.get("imap_security") or "ssl")
    port = int(settings.get("imap_port") or PORTS.get(security, 993))
    try:
        with told():
            client = _Client(host, port, security, until)
            with ends(until, client), contextlib.closing(_Goodbye(client)):
                if security == "starttls":
                    client.starttls(trusted())
                _sign_in(client, str(settings.get("imap_user") or ""), secrets.get("imap_password", ""))
                yield Mailbox(client, str(settings.get("folder") or "INBOX"))
    except imaplib.IMAP4.abort as error:
        raise Trouble(_("The mail server hung up.")) from error
    except (imaplib.IMAP4.error, ValueError) as error:
        raise Trouble(_("The mail server says what no mail server says.")) from error


def _sign_in(client: imaplib.IMAP4, user: str, password: str) -> None:
    try:
        if (user + password).isascii():
            client.login(user, password)
        else:
            client.authenticate("PLAIN", lambda _asked: f"\0{user}\0{password}".encode())
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise Trouble(_("The mail server refused the name or the password.")) from error


class _Goodbye:
    """Says it if anybody still listens."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self.client = client

    def close(self) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self.client.sock.settimeout(2)
            self.client.logout()
        with contextlib.suppress(OSError):
            self.client.shutdown()


def _quoted(folder: str) -> str:
    """A folder's name in modified UTF-7 (RFC 3501, 5.1.3), quoted."""

    def shifted(match: re.Match[str]) -> str:
        encoded = base64.b64encode(match[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
        return f"&{encoded}-"

    name = re.sub(r"[^\x20-\x7e]+", shifted, folder.replace("&", "&-"))
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
