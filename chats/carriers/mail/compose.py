"""A message on its way as a mail.

Threads follow RFC 5322, 3.6.4: In-Reply-To is the customer's latest mail, References its References and itself. Our Message-ID is made of the
dispatch's id, so that a second try is the same mail. What the house says by itself is marked as RFC 3834, 5 wants it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from chats.carriers.provider import File, Parcel

MOST_BYTES = (
    15 * 1024 * 1024
)  # of attachments in one mail; the others are linked: many servers take 25 MB, and base64 adds a third
MOST_REFERENCES = 10
MESSAGE_ID = re.compile(
    r"<[\x21-\x3b=\x3f-\x7e]{1,250}>"
)  # printable ASCII without blanks and brackets: nothing that ends a header
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
FOLD = "\r\n "
POLICY = SMTP.clone(cte_type="7bit")  # every server takes it


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message as a mail, before it takes one of the forms in which mail leaves.

    headers: those beside From, To, Subject and Date, each in one line; thread: In-Reply-To and References, where it continues one; files: those that are attached.
    """

    message_id: str
    sender: Address
    to: str
    subject: str
    text: str
    headers: Mapping[str, str]
    thread: Mapping[str, Sequence[str]]
    files: tuple[File, ...]


class Unfit(Exception):
    """No mail can be sent to this address, or from ours."""


def write(parcel: Parcel) -> Letter:
    """Raises Unfit."""
    attached, linked = _divide(parcel.files)
    try:
        Address(addr_spec=parcel.address if parcel.address.isascii() else "")
        sender = Address(_from_name(parcel), addr_spec=parcel.own)
    except (MessageError, ValueError, IndexError) as error:  # a dot too many, say: some mail programs let it pass
        raise Unfit from error
    return Letter(
        message_id=own_message_id(parcel.id, parcel.own),
        sender=sender,
        to=parcel.address,
        subject=subject_of(parcel),
        text="\n\n".join(filter(None, [parcel.text, _links(linked)])),
        headers={} if parcel.sender_name else AUTOMATIC,
        thread=_thread(parcel.facts),
        files=tuple(attached),
    )


def compose(letter: Letter) -> bytes:
    """The mail. Raises OSError when an attachment cannot be read."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = letter.sender
    mail["To"] = Address(addr_spec=letter.to)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(timezone.now())
    mail["Message-ID"] = letter.message_id
    for name, value in letter.headers.items():
        mail[name] = value
    mail.set_content(letter.text)
    for file in letter.files:
        main, _slash, sub = file.content_type.partition("/")
        data, name = bytes_of(file), one_line(file.name) or "file"
        mail.add_attachment(data, maintype=main or "application", subtype=sub or "octet-stream", filename=name)
    # Unfolded but at blanks: Python would encode a long id as if it were words.
    thread = "".join(f"{name}: {FOLD.join(ids)}\r\n" for name, ids in letter.thread.items())
    return thread.encode("ascii") + mail.as_bytes()


def begun(parcel: Parcel, message_id: str) -> dict[str, Any]:
    """What the carriage keeps of our first mail: it begins the thread that the next ones continue until the customer answers."""
    has_thread = parcel.facts.get("last_id") or parcel.facts.get("first_id")
    return {} if has_thread else {"first_id": message_id}


def bytes_of(file: File) -> bytes:
    """Raises OSError."""
    with default_storage.open(file.path) as opened:
        data: bytes = opened.read()
    return data


def own_message_id(dispatch_id: str, own: str) -> str:
    return f"<{dispatch_id}@{own.rpartition('@')[2]}>"


def dispatch_in(message_id: str) -> UUID | None:
    """The dispatch of which a Message-ID of ours was made; nothing for another's."""
    try:
        return UUID(message_id.strip("<>").partition("@")[0])
    except ValueError:
        return None


def subject_of(parcel: Parcel) -> str:
    known = one_line(str(parcel.facts.get("subject") or ""))[:200]
    if not known:
        with translation.override(parcel.language or None):
            return one_line(_("Your chat with %(center)s") % {"center": parcel.center_name})
    if parcel.facts.get("last_id") and not known.lower().startswith("re:"):
        return f"Re: {known}"
    return known


def one_line(text: str) -> str:
    """Without line breaks and other controls: what stands in a header ends there.

    Nor is anything an encoded word (RFC 2047) before we make it one: Python would decode it, and write the line breaks that are in it.
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text).replace("=?", "= ?").split())


def ids_in(text: str) -> list[str]:
    """The message ids of a header, in their order."""
    return MESSAGE_ID.findall(text)


def _from_name(parcel: Parcel) -> str:
    house = one_line(str(parcel.settings.get("from_name") or "")) or one_line(parcel.center_name)
    person = one_line(parcel.sender_name)
    return f"{person} – {house}" if person else house


def _thread(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    last = ids_in(str(facts.get("last_id") or facts.get("first_id") or ""))[:1]
    earlier = [one for one in ids_in(str(facts.get("references") or "")) if one not in last]
    # The first one names the thread; what is left out stands between it and the latest.
    kept = [*earlier[:1], *earlier[1:][-(MOST_REFERENCES - 1) :], *last]
    return {"In-Reply-To": last, "References": kept} if last else {}


def _divide(files: Sequence[File]) -> tuple[list[File], list[File]]:
    """Those that are attached, as many as fit, and those that are linked."""
    attached: list[File] = []
    linked: list[File] = []
    room = MOST_BYTES
    for file in files:
        fits = file.size <= room
        (attached if fits else linked).append(file)
        room -= file.size if fits else 0
    return attached, linked


def _links(files: Sequence[File]) -> str:
    return "\n".join(f"{one_line(file.name)}: {file.url}" for file in files)
