"""Taking a file in: counted, sniffed, drawn anew if it is a picture, and bound to one chat and its uploader."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from chats.errors import Closed, Conflict, Forbidden, Invalid, NotFound, TooLarge, TooMany
from chats.models import Attachment, Chat, Participant
from contactcenter.models import WidgetSettings

from .images import redraw
from .kinds import kind_of
from .names import clean_name

UNSENT_LIMIT = 20  # uploads of one person that wait to be sent
CHAT_LIMIT = 200  # files in one chat
UNSENT_LIFE = timedelta(days=1)


def store_attachment(
    chat: Chat, uploader: Participant, upload: UploadedFile, now: datetime, *, file_id: UUID | None = None
) -> Attachment:
    """Keep a file that its uploader may put into one message of this chat. `file_id`: the one it has had before; Conflict if it was sent.

    Raises NotFound (not a participant of this chat), Closed, Forbidden, TooMany, TooLarge, Invalid (its kind or content).
    """
    _check_may_upload(chat, uploader)
    name = clean_name(upload.name or "")
    data = read_upload(upload)
    kind = kind_of(data, name)
    attachment = Attachment(
        center_id=chat.center_id,
        chat=chat,
        uploader=uploader,
        name=name,
        content_type=kind.content_type,
        uploaded_at=now,
    )
    if file_id is not None:
        attachment.pk = file_id
    thumbnail = b""
    if kind.is_image:
        picture = redraw(data, kind.content_type)
        data, thumbnail = picture.data, picture.thumbnail
        attachment.width, attachment.height = picture.width, picture.height
    attachment.size = len(data)
    _keep(attachment, data, thumbnail)
    return attachment


def sweep_unsent_uploads(now: datetime, limit: int = 1000) -> int:
    """Delete files that nobody put into a message within a day, and say how many. Run it nightly; it may run twice."""
    stale = Attachment.objects.filter(position=None, uploaded_at__lt=now - UNSENT_LIFE).order_by("uploaded_at")[:limit]
    return sum(map(_delete_unsent, stale))


def discard_unsent(ids: Iterable[UUID]) -> None:
    """Delete files that were taken in for a message which is refused. One that was sent stays."""
    for attachment in Attachment.objects.filter(pk__in=list(ids)):
        _delete_unsent(attachment)


def _delete_unsent(attachment: Attachment) -> bool:
    # A message that takes the file at this very moment wins: its row is no longer unsent when our delete sees it.
    is_gone = bool(Attachment.objects.filter(pk=attachment.pk, position=None).delete()[0])
    if is_gone:
        _delete_files(attachment)
    return is_gone


def _check_may_upload(chat: Chat, uploader: Participant) -> None:
    if uploader.chat_id != chat.pk:
        raise NotFound
    if not chat.is_open:
        raise Closed
    if uploader.kind == Participant.Kind.CUSTOMER:
        if WidgetSettings.objects.filter(channel_id=chat.channel_id, uploads=False).exists():
            raise Forbidden(_("Files cannot be sent here."))
        if chat.attachments.count() >= CHAT_LIMIT:
            raise TooMany(_("This chat has as many files as it can hold."))
    if chat.attachments.filter(uploader=uploader, position=None).count() >= UNSENT_LIMIT:
        raise TooMany(_("Send the files that you have added first."))


def read_upload(upload: UploadedFile) -> bytes:
    """The bytes, counted while they are read: what the request said about its size is not believed."""
    limit = settings.ATTACHMENT_MAX_BYTES
    parts: list[bytes] = []
    total = 0
    for part in upload.chunks():
        total += len(part)
        if total > limit:
            raise TooLarge(_("A file has at most %(size)s.") % {"size": filesizeformat(limit)})
        parts.append(part)
    if not total:
        raise Invalid(fields={"file": _("This file is empty.")})
    return b"".join(parts)


def _keep(attachment: Attachment, data: bytes, thumbnail: bytes) -> None:
    try:
        attachment.file.save("", ContentFile(data), save=False)
        if thumbnail:
            attachment.thumbnail.save("", ContentFile(thumbnail), save=False)
        with transaction.atomic():
            attachment.save(force_insert=True)
    except IntegrityError:
        _delete_files(attachment)
        raise Conflict(_("This file was sent already.")) from None
    except BaseException:
        _delete_files(attachment)  # without its row nobody would ever find it
        raise


def _delete_files(attachment: Attachment) -> None:
    delete: list[Callable[..., Any]] = [field.delete for field in (attachment.file, attachment.thumbnail) if field]
    for each in delete:
        each(save=False)
