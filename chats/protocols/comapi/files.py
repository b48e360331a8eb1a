"""Files of messages, behind signed addresses (message_shapes.file_url): whoever has one may read that file, and only while it stands in a message that customers see."""

from typing import ClassVar

from django.core import signing
from django.db.models import Exists, OuterRef
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from chats.errors import NotFound
from chats.files.serve import serve_attachment
from chats.models import Attachment, Event
from contactcenter.models import Registration

from .door import Door
from .message_shapes import FILE_SIGNER


class File(Door):
    """A file's bytes."""

    is_open: ClassVar[bool] = True

    def get(self, request: Request, token: str) -> HttpResponseBase:
        """?thumb=1: the small picture."""
        file = find_file(self.registration, token) if self.registration else None
        if file is None:
            raise NotFound
        thumb = request.query_params.get("thumb") == "1"
        response = serve_attachment(file, thumb)
        if not thumb:
            # Apps want the type. It is what we sniffed, and everything but pictures stays something to save.
            response["Content-Type"] = file.content_type
        return response


def find_file(registration: Registration, token: str) -> Attachment | None:
    """One of the space's center, and of no note."""
    try:
        # content.early_url's says more behind the id.
        file_id = signing.Signer(salt=FILE_SIGNER).unsign(token).partition(".")[0]
    except signing.BadSignature:
        return None
    public = Event.objects.filter(chat=OuterRef("chat"), position=OuterRef("position"), index__isnull=False)
    files = Attachment.objects.filter(Exists(public), center_id=registration.center_id, pk=file_id)
    found: Attachment | None = files.first()
    return found


ROUTES: list[tuple[str, type[Door], str]] = [("files/{token}", File, "files")]
