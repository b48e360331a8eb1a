"""Giving a file out so that nothing in it can run, whatever it is."""

from django.http import FileResponse

from chats.errors import NotFound
from chats.models import Attachment

from .images import FORMATS, THUMBNAIL_TYPE

INERT = "sandbox; default-src 'none'"


def serve_attachment(attachment: Attachment, thumb: bool = False) -> FileResponse:
    """Our own drawings inline with their type; everything else as bytes to save. The caller has checked who may read.

    Raises NotFound when the file (or the thumbnail asked for) is not there.
    """
    field = attachment.thumbnail if thumb else attachment.file
    if not field:
        raise NotFound
    try:
        stored = field.open("rb")
    except FileNotFoundError:
        raise NotFound from None
    is_drawn = attachment.content_type in FORMATS
    kind = (THUMBNAIL_TYPE if thumb else attachment.content_type) if is_drawn else "application/octet-stream"
    name = f"{attachment.name.rpartition('.')[0]}.webp" if thumb else attachment.name
    # The type is always said: FileResponse would guess one from the name, and serve evil.html as a page.
    response = FileResponse(stored, content_type=kind, as_attachment=not is_drawn, filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = INERT
    response["Cache-Control"] = "private, no-store"
    return response
