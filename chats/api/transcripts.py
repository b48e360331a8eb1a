"""A chat to keep: given at once, or mailed after the end."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.transcript import request_transcript, request_transcript_by_agent
from chats.doors.negotiation import FirstRenderer
from chats.doors.throttles import MAILS_BY_CUSTOMER, count
from chats.transcripts.serve import serve_customer_transcript, serve_staff_transcript

from . import asked
from .chats import EVERYBODY
from .door import Door, read
from .principals import AgentCaller, CustomerCaller
from .schema import described
from .scope import find_chat


class Transcript(Door):
    callers = {"GET": EVERYBODY, "POST": (CustomerCaller, AgentCaller)}
    open_to_pages = True
    content_negotiation_class = FirstRenderer

    @described(
        "The transcript as text, HTML or PDF",
        query=asked.TranscriptQuery,
        gives={
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "text/html"): OpenApiTypes.STR,
            (200, "application/pdf"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, chat_id: UUID) -> HttpResponse:
        query = read(asked.TranscriptQuery, request.query_params)
        chat = find_chat(self.caller, chat_id)
        if isinstance(self.caller, CustomerCaller):
            language = query.get("language") or chat.language or get_language() or ""
            return serve_customer_transcript(chat, query["format"], language=language)
        language = query.get("language") or get_language() or ""
        return serve_staff_transcript(chat, query["format"], notes=query["notes"], language=language)

    @described("Mail the customer's transcript after the end", asks=asked.MailTranscript, gives={202: None})
    def post(self, request: Request, chat_id: UUID) -> Response:
        body = read(asked.MailTranscript, request.data)
        chat = find_chat(self.caller, chat_id)
        # Whoever asks, the customer reads it.
        language = body.get("language") or chat.language
        if isinstance(self.caller, CustomerCaller):
            count(MAILS_BY_CUSTOMER, str(self.caller.customer.pk))
            request_transcript(chat, body["email"], language=language or get_language() or "", now=self.now)
        else:
            language = language or chat.customer.language
            request_transcript_by_agent(self.caller.agent, chat.pk, body["email"], language=language, now=self.now)
        return Response(status=202)
