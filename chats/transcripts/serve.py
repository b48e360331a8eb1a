"""What a door answers when somebody asks for a transcript."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from chats.errors import Conflict, Invalid, Unavailable
from chats.models import Chat

from .page import render_html
from .paper import PressFailed, render_pdf
from .plain import render_text
from .reading import Transcript, read_transcript

FORMS = ("text", "html", "pdf")


def serve_customer_transcript(chat: Chat, form: str, *, language: str = "") -> HttpResponse:
    """The chat as its customer may keep it, once it has ended. form: text, html or pdf. Raises Conflict, Invalid, Unavailable."""
    if chat.is_open:
        raise Conflict(_("The transcript is there when the chat has ended."))
    return _serve(read_transcript(_with_names(chat), language=language), form)


def serve_staff_transcript(chat: Chat, form: str, *, notes: bool, language: str = "") -> HttpResponse:
    """The chat as its staff may read it, at any time. Raises Invalid, Unavailable."""
    return _serve(read_transcript(_with_names(chat), for_staff=True, notes=notes, language=language), form)


def _with_names(chat: Chat) -> Chat:
    return Chat.objects.select_related("center", "team", "customer").get(pk=chat.pk)


def _serve(transcript: Transcript, form: str) -> HttpResponse:
    if form == "text":
        return _answer(render_text(transcript), "text/plain; charset=utf-8", transcript, "txt")
    if form == "html":
        page = render_html(transcript)
        response = _answer(page.html, "text/html; charset=utf-8", transcript, "html")
        response["Content-Security-Policy"] = page.policy
        return response
    if form == "pdf":
        try:
            return _answer(render_pdf(transcript), "application/pdf", transcript, "pdf")
        except PressFailed:
            raise Unavailable(_("The PDF could not be made now. Try again, or take the text version.")) from None
    raise Invalid(fields={"format": _("Choose text, html or pdf.")})


def _answer(body: str | bytes, content_type: str, transcript: Transcript, extension: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    name = f"transcript-{transcript.reference}.{extension}"
    # A page is shown in the browser, within its own policy; the others are saved.
    response["Content-Disposition"] = content_disposition_header(extension != "html", name) or ""
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
