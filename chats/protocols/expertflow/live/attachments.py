"""What a message brings along (schema object Attachment): files in data: addresses are kept, web addresses are linked to and never fetched."""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from chats.actions.links import Link
from chats.doors.throttles import UPLOADS_BY_CUSTOMER, count
from chats.errors import Invalid, Refused
from chats.files.kinds import KINDS
from chats.files.names import extension_of
from chats.files.store import discard_unsent, store_attachment
from chats.models import Chat, Participant

MOST = 10
LONGEST_NAME, LONGEST_TYPE = 200, 100
WEB = ("http:", "https:")
REFUSED = "Attachments come as data: addresses, or as http: or https: links"


@dataclass(frozen=True)
class Brought:
    """files: as (name, data: address); links: as they are kept."""

    files: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()


def read_attachments(said: Any) -> Brought:
    """said: [{type, name, contentUrl, thumbnailUrl}]; the pictures that clients make of them are not needed. Raises Invalid."""
    if said is None:
        return Brought()
    if not isinstance(said, list) or len(said) > MOST:
        raise Invalid(f"attachments: a list of {MOST} at most")
    files: list[tuple[str, str]] = []
    links: list[Link] = []
    for one in said:
        url, name, kind = (_text(one, member) for member in ("contentUrl", "name", "type"))
        if url[:5].lower() == "data:":
            files.append((name, url))
        elif url.lower().startswith(WEB):
            links.append(Link(type=kind[:LONGEST_TYPE], name=name[:LONGEST_NAME], url=url))
        else:
            raise Invalid(REFUSED)
    return Brought(tuple(files), tuple(links))


def keep_files(sender: Participant, files: Iterable[tuple[str, str]]) -> tuple[UUID, ...]:
    """The ids of all, or nothing is kept. Raises Invalid (no such address, its kind), TooLarge, TooMany, Closed, Forbidden."""
    chat = Chat.objects.get(pk=sender.chat_id)
    kept: list[UUID] = []
    try:
        for name, url in files:
            count(UPLOADS_BY_CUSTOMER, str(chat.customer_id))
            data = decode(url)
            upload = SimpleUploadedFile(_full_name(name, data), data)
            kept.append(store_attachment(chat, sender, upload, timezone.now()).pk)
    except Refused:
        discard_unsent(kept)
        raise
    return tuple(kept)


def decode(url: str) -> bytes:
    """What a data: address holds (RFC 2397); the type that it names is not believed. Raises Invalid."""
    head, comma, body = url.partition(",")
    if not comma:
        raise Invalid("attachments: not a data: address")
    data = unquote_to_bytes(body)
    if not head.rstrip().lower().endswith(";base64"):
        return data
    data = b"".join(data.split())
    try:
        return b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("attachments: not base64") from None


def _full_name(name: str, data: bytes) -> str:
    """With the ending that files of this kind have, where the client names none."""
    if extension_of(name):
        return name
    found = next((kind for kind in KINDS if kind.matches(data)), None)
    ending = "txt" if found is None or found.is_text else found.extensions[0]
    return f"{name or 'file'}.{ending}"


def _text(attachment: Any, member: str) -> str:
    value = attachment.get(member) if isinstance(attachment, dict) else 0
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid("attachments: objects of the texts type, name and contentUrl")
    return value.strip()
