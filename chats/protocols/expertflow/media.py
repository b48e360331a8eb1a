"""Files behind signed addresses (shapes.file_url): whoever has one may read that file, and only while it stands in a message that customers see."""

from django.core import signing
from django.db.models import Exists, OuterRef
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, address_of, count
from chats.errors import NotFound
from chats.files.serve import serve_attachment
from chats.models import Attachment, Event

from .callers import Caller, live_registrations
from .door import Door
from .shapes import FILE_SIGNER


class Media(Door):
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """?thumb=1: the small picture."""
        file = find_file(token)
        if file is None:
            count(ANONYMOUS_BY_ADDRESS, address_of(request))  # guesses
            raise NotFound
        self.caller = Caller(file.chat.foreign.registration)  # whose pages may read the answer
        thumb = request.query_params.get("thumb") == "1"
        response = serve_attachment(file, thumb)
        if not thumb:
            # Carriers want the type. It is what we sniffed, and everything but pictures stays something to save.
            response["Content-Type"] = file.content_type
        return response


def find_file(token: str) -> Attachment | None:
    try:
        file_id = signing.Signer(salt=FILE_SIGNER).unsign(token)
    except signing.BadSignature:
        return None
    public = Event.objects.filter(chat=OuterRef("chat"), position=OuterRef("position"), index__isnull=False)
    files = Attachment.objects.filter(Exists(public), chat__foreign__registration__in=live_registrations().values("pk"))
    found: Attachment | None = (
        files.filter(pk=file_id).select_related("chat__foreign__registration__application").first()
    )
    return found
