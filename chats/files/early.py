"""Files that come before there is a chat for them: kept beside the database for a day, by their owner, until a message takes them.

They have no row: the place says whose they are, and their age when they go. Nobody is given one before it stands in a message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from chats.errors import TooMany

from .images import redraw
from .kinds import kind_of
from .names import clean_name, extension_of
from .store import UNSENT_LIFE, UNSENT_LIMIT, read_upload

ROOT = "early"


@dataclass(frozen=True)
class Early:
    """`owner_id`: any row's id that says whose it is. `id` becomes the attachment's."""

    center_id: UUID
    owner_id: UUID
    id: UUID
    extension: str

    @property
    def place(self) -> str:
        return f"{_folder(self.center_id, self.owner_id)}/{self.id}.{self.extension}"


def keep_early(center_id: UUID, owner_id: UUID, upload: UploadedFile) -> tuple[Early, str, int]:
    """The file, its type as we sniffed it, and its size in bytes. Raises TooMany, TooLarge, Invalid (its kind or content)."""
    if len(_names(_folder(center_id, owner_id))) >= UNSENT_LIMIT:
        raise TooMany(_("Send the files that you have added first."))
    name = clean_name(upload.name or "")
    data = read_upload(upload)
    kind = kind_of(data, name)
    if kind.is_image:
        redraw(data, kind.content_type)  # what cannot be drawn is refused now; it is drawn for good once it is sent
    early = Early(center_id, owner_id, uuid4(), extension_of(name))
    default_storage.save(early.place, ContentFile(data))
    return early, kind.content_type, len(data)


def read_early(early: Early) -> bytes | None:
    """None once it was sent, or a day has passed."""
    try:
        with default_storage.open(early.place, "rb") as stored:
            data: bytes = stored.read()
    except FileNotFoundError:
        return None
    return data


def drop_early(early: Early) -> None:
    default_storage.delete(early.place)


def sweep_early(now: datetime, limit: int = 1000) -> int:
    """Delete what nobody sent within a day, and say how many. It may run twice."""
    gone = 0
    for place in _places():
        if gone < limit and _is_stale(place, now):
            default_storage.delete(place)
            gone += 1
    return gone


def _is_stale(place: str, now: datetime) -> bool:
    try:
        return default_storage.get_modified_time(place) < now - UNSENT_LIFE
    except FileNotFoundError:
        return False


def _places() -> Iterator[str]:
    for center in _names(ROOT, folders=True):
        for owner in _names(f"{ROOT}/{center}", folders=True):
            folder = f"{ROOT}/{center}/{owner}"
            yield from (f"{folder}/{name}" for name in _names(folder))


def _folder(center_id: UUID, owner_id: UUID) -> str:
    return f"{ROOT}/{center_id}/{owner_id}"


def _names(folder: str, *, folders: bool = False) -> list[str]:
    try:
        found = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return list(found[0] if folders else found[1])
