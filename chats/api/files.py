"""Files of chats: taken in, given out inert."""

from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiTypes
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.locking import seat_in_chat
from chats.doors.negotiation import FirstRenderer
from chats.doors.throttles import UPLOADS_BY_CUSTOMER, count
from chats.errors import Forbidden, NotFound
from chats.files.images import FORMATS
from chats.files.serve import serve_attachment
from chats.files.store import store_attachment

from . import asked, shown
from .chats import EVERYBODY
from .door import Door, read
from .principals import AgentCaller, CustomerCaller
from .schema import described
from .scope import find_chat, visible_attachments

# Pictures are shown, everything else is saved (chats.files.serve).
INERT = {(200, kind): OpenApiTypes.BINARY for kind in ("application/octet-stream", *FORMATS)}


class Attachments(Door):
    callers = {"POST": EVERYBODY}
    open_to_pages = True
    parser_classes = (MultiPartParser,)

    @described(
        "Upload a file for a message of this chat",
        asks={"multipart/form-data": asked.Upload},
        gives={201: shown.Uploaded},
    )
    def post(self, request: Request) -> Response:
        body = read(asked.Upload, request.data)
        caller = self.caller
        chat = find_chat(caller, body["chat"])
        if isinstance(caller, CustomerCaller):
            count(UPLOADS_BY_CUSTOMER, str(caller.customer.pk))
        if isinstance(caller, AgentCaller):
            if chat.agent_id != caller.agent.pk and not chat.is_open:
                raise Forbidden(_("This chat has ended."))
            uploader = seat_in_chat(chat, caller.agent)
        else:
            uploader = chat.customer_part
        attachment = store_attachment(chat, uploader, body["file"], self.now)
        url = reverse("api:attachment", args=[attachment.pk])
        return Response(attachment.snapshot() | {"url": url}, status=201)


class OneAttachment(Door):
    callers = {"GET": EVERYBODY}
    open_to_pages = True
    content_negotiation_class = FirstRenderer

    @described("The bytes of a file", query=asked.FileQuery, gives=INERT)
    def get(self, request: Request, attachment_id: UUID) -> HttpResponseBase:
        query = read(asked.FileQuery, request.query_params)
        attachment = visible_attachments(self.caller).filter(pk=attachment_id).first()
        if attachment is None:
            raise NotFound
        return serve_attachment(attachment, thumb=query["thumb"])
