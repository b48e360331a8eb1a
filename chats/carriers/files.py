"""/carriers/files/<token>: a file of a message that travels, for the network or the phone that fetches it. The signed address is all that it takes."""

from django.core import signing
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from chats.errors import NotFound
from chats.files.serve import serve_attachment
from chats.models import Attachment, Event

from .dispatches import FILE_SIGNER


@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The bytes, while the message is there that shows them to its customer."""
    try:
        attachment_id = signing.Signer(salt=FILE_SIGNER).unsign(token)
    except signing.BadSignature:
        raise Http404 from None
    attachment = Attachment.objects.filter(pk=attachment_id).first()
    if attachment is None or not _is_public(attachment):
        raise Http404
    try:
        response = serve_attachment(attachment)
    except NotFound:
        raise Http404 from None
    # Networks ask for the type. These cannot run anything, and a browser saves them still.
    if attachment.content_type == "application/pdf" or attachment.content_type.startswith(("audio/", "video/")):
        response["Content-Type"] = attachment.content_type
    return response


def _is_public(attachment: Attachment) -> bool:
    """It was sent, and not in a note: what customers see has an index."""
    seen = Event.objects.filter(chat_id=attachment.chat_id).exclude(index=None)
    return seen.filter(position=attachment.position or 0).exists()
