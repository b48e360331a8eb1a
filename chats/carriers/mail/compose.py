"""A message on its way as a mail.

Threads follow RFC 5322, 3.6.4: In-Reply-To is the customer's latest mail, References its References and itself. Our Message-ID is made of the
dispatch's id, so that a second try is the same mail. What the house says by itself is marked as RFC 3834, 5 wants it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

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
POLICY = SMTP.clone(cte_type="7bit")  # every server takes it


def compose(parcel: Parcel) -> tuple[str, bytes]:
    """(Message-ID, the mail). Raises OSError when an attachment cannot be read."""
    message_id = own_message_id(parcel.id, parcel.own)
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Address(_from_name(parcel), addr_spec=parcel.own)
    mail["To"] = Address(addr_spec=parcel.address)
    mail["Subject"] = subject_of(parcel)
    mail["Date"] = format_datetime(timezone.now())
    mail["Message-ID"] = message_id
    if not parcel.sender_name:
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    attached, linked = _divide(parcel.files)
    mail.set_content("\n\n".join(filter(None, [parcel.text, _links(linked)])))
    for file in attached:
        _attach(mail, file)
    return message_id, _thread(parcel.facts) + mail.as_bytes()


def own_message_id(dispatch_id: str, own: str) -> str:
    return f"<{dispatch_id}@{own.rpartition('@')[2]}>"


def subject_of(parcel: Parcel) -> str:
    known = one_line(str(parcel.facts.get("subject") or ""))[:200]
    if not known:
        with translation.override(parcel.language or None):
            return one_line(_("Your chat with %(center)s") % {"center": parcel.center_name})
    if parcel.facts.get("last_id") and not known.lower().startswith("re:"):
        return f"Re: {known}"
    return known


def one_line(text: str) -> str:
    """Without line breaks and other controls: what stands in a header ends there."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def ids_in(text: str) -> list[str]:
    """The message ids of a header, in their order."""
    return MESSAGE_ID.findall(text)


def _from_name(parcel: Parcel) -> str:
    house = one_line(str(parcel.settings.get("from_name") or "")) or one_line(parcel.center_name)
    person = one_line(parcel.sender_name)
    return f"{person} – {house}" if person else house


def _thread(facts: Mapping[str, Any]) -> bytes:
    """The headers of the thread, unfolded but at blanks: Python would encode a long id as if it were words."""
    last = ids_in(str(facts.get("last_id") or facts.get("first_id") or ""))[:1]
    earlier = [one for one in ids_in(str(facts.get("references") or "")) if one not in last]
    # The first one names the thread; what is left out stands between it and the latest.
    kept = [*earlier[:1], *earlier[1:][-(MOST_REFERENCES - 1) :], *last]
    lines = [f"In-Reply-To: {last[0]}", f"References: {_folded(kept)}"] if last else []
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _folded(ids: Iterable[str]) -> str:
    return "\r\n ".join(ids)


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


def _attach(mail: EmailMessage, file: File) -> None:
    with default_storage.open(file.path) as opened:
        data = opened.read()
    main, _slash, sub = file.content_type.partition("/")
    mail.add_attachment(
        data, maintype=main or "application", subtype=sub or "octet-stream", filename=one_line(file.name) or "file"
    )
