"""Transcripts (customer channel API, Request Transcript): as PDF, or by mail to the customer. Who knows a conversation's id may have it, once it has ended."""

from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from rest_framework.request import Request

from chats.actions.transcript import request_transcript
from chats.doors.origins import check_origin
from chats.doors.throttles import ANONYMOUS_BY_ADDRESS, MAILS_BY_CUSTOMER, Rate, address_of, count
from chats.errors import NotFound
from chats.models import Chat, ForeignChat
from chats.transcripts.serve import serve_customer_transcript

from .callers import Caller, live_registrations, named_center
from .door import Door

PDF, EMAIL = "pdf", "email"
PAPERS = Rate("expertflow-papers", 20)  # by conversation; a press takes a core for a while
NONE = "There is no transcript of such a conversation, or it has not ended."
NO_ADDRESS = "No email address of this customer is known."


class Paper(Door):
    def get(self, request: Request, conversation_id: str, kind: str) -> HttpResponse:
        chat = self.ended(conversation_id, kind)
        if kind == PDF:
            count(PAPERS, str(chat.pk))
            return serve_customer_transcript(chat, PDF)
        count(MAILS_BY_CUSTOMER, str(chat.pk))
        request_transcript(chat, chat.customer.email, now=self.now)
        return nothing()

    def head(self, request: Request, conversation_id: str, kind: str) -> HttpResponse:
        """Whether there is one: nothing is printed, nothing mailed."""
        self.ended(conversation_id, kind)
        return nothing()

    def ended(self, conversation_id: str, kind: str) -> Chat:
        """The conversation's chat. Raises NotFound for whatever has no transcript of this kind, Forbidden, TooMany."""
        foreign = self.find(conversation_id)
        if foreign is None or foreign.chat.is_open or kind not in (PDF, EMAIL):
            count(ANONYMOUS_BY_ADDRESS, address_of(self.request))  # guesses
            raise NotFound(NONE)
        # Whose pages may read the answer; not before, or the headers would tell which conversations there are.
        self.caller = Caller(foreign.registration)
        check_origin(self.request, foreign.registration.application.allowed_origins)
        if kind == EMAIL and not foreign.chat.customer.email:
            raise NotFound(NO_ADDRESS)
        return foreign.chat

    def find(self, conversation_id: str) -> ForeignChat | None:
        """By its id alone; a center that is named must be its own."""
        rows = ForeignChat.objects.filter(
            external_id=plain_id(conversation_id), registration__in=live_registrations().values("pk")
        )
        if named := named_center(self.request, self.request.query_params.dict()):
            rows = rows.filter(Q(registration__foreign_id=named) | Q(registration__center__slug=named))
        return rows.select_related("chat__customer", "registration__application").first()


def plain_id(value: str) -> str:
    """An id as this door gives it out; anything else can only be unknown."""
    try:
        return str(UUID(value)) if len(value) == 36 else "?"
    except ValueError:
        return "?"


def nothing() -> HttpResponse:
    return HttpResponse(content_type="text/plain; charset=utf-8")
