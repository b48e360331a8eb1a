"""Files of a chat."""

import secrets
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, center_key, own_key, same_center


def storage_name(instance: "Attachment", filename: str) -> str:
    """A random name: what the sender called the file never reaches the disk."""
    return f"attachments/{instance.center_id}/{secrets.token_hex(16)}"


class Attachment(CenterRow):
    """A file that its uploader may put into one message of one chat. Its type is what we sniffed, never what the sender said."""

    center = center_key("attachments")
    chat = own_key("chats.Chat", related_name="attachments", verbose_name=_("chat"))
    uploader = own_key("chats.Participant", related_name="attachments", verbose_name=_("uploaded by"))
    position = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Of the event that carries it; empty until it is sent.")
    )
    name = models.CharField(_("name"), max_length=200)
    size = models.PositiveIntegerField(_("size (bytes)"))
    content_type = models.CharField(_("type"), max_length=100)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    file = models.FileField(upload_to=storage_name)
    thumbnail = models.FileField(upload_to=storage_name, blank=True)
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints = same_center("attachment", "chat", "uploader")

    def __str__(self) -> str:
        return self.name

    def snapshot(self) -> dict[str, Any]:
        """What an event says of it: id, name, size (bytes), content_type, width, height (pixels or None)."""
        return {
            "id": str(self.id),
            "name": self.name,
            "size": self.size,
            "content_type": self.content_type,
            "width": self.width,
            "height": self.height,
        }


class FileRemoval(CenterRow):
    """That a file has to go from the storage: its attachment's row is gone already. The row goes with the file."""

    center = center_key("file_removals")
    path = models.CharField(_("file"), max_length=200)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("file to remove")
        verbose_name_plural = _("files to remove")

    def __str__(self) -> str:
        return self.path
