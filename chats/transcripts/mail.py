"""Transcripts by mail: obligations that are claimed, set without a transaction, and handed over at most once.

A claim is a guarded update that also sets when somebody else may try again. Just before the message is handed to the mail
server the row says so; if that is the last that was ever heard of an attempt, nobody can know whether the mail went out,
and it is given up rather than sent twice.
"""

import smtplib
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from chats.models import Chat, TranscriptRequest

from .page import context_of, render_html
from .paper import PressFailed, render_pdf
from .plain import one_line, render_text
from .reading import Transcript, beginning, read_transcript

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))  # after each failure
ATTEMPTS = len(BACK_OFF) + 1
LEASE = timedelta(minutes=10)  # how long one attempt may take before another may begin
HANDING_OVER = "handing over to the mail server"
UNKNOWN = "The mail server may have taken it: nobody answered. Not sent again."
SHOWN_CHARACTERS = 60_000  # in the message itself: mail programs cut off what is longer than about 100 KB
log = structlog.get_logger(__name__)


def send_transcript(request_id: UUID, now: datetime) -> bool:
    """Send one transcript if it is due; true when it went out now. Harmless when called twice, by anybody, at any time."""
    if not _claim(request_id, now):
        return False
    loaded = TranscriptRequest.objects.select_related("chat__center", "chat__team", "chat__customer")
    request = loaded.filter(pk=request_id).first()
    if request is None:  # its customer was erased at this moment
        return False
    transcript = read_transcript(request.chat, language=request.language)
    message = build_message(request, transcript)
    message.connection = server = get_connection()
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        return _put_off(request, error, now)  # nothing was said yet: it can be said later
    try:
        return _hand_over(request, message, now)
    finally:
        _close(server)


def due_transcripts(now: datetime, limit: int = 100) -> list[UUID]:
    """The ids of what `send_transcript` should be called with: what a signal missed, and what is to be tried again."""
    return list(TranscriptRequest.objects.due(now).values_list("pk", flat=True)[:limit])


def build_message(request: TranscriptRequest, transcript: Transcript) -> EmailMultiAlternatives:
    """Text and HTML, with the PDF attached; without a press, the page and the text are attached instead."""
    attachments = _attachments(transcript)
    shown, is_cut = beginning(transcript, SHOWN_CHARACTERS)
    with translation.override(transcript.language):
        subject = one_line(_("Your chat with %(center)s") % {"center": transcript.center})[:150]
        context = context_of(shown) | {
            "subject": subject,
            "is_cut": is_cut,
            "attached": attachments[0][0].rpartition(".")[2],
        }
        text = render_to_string("transcripts/mail.txt", context | {"body": render_text(shown)})
        html = render_to_string("transcripts/mail.html", context)
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    message = EmailMultiAlternatives(
        subject,
        text,
        formataddr((one_line(transcript.center).replace('"', ""), address)),
        [request.email],
        headers={
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            # The same in every attempt: a mail program that gets it twice after all shows it once.
            "Message-ID": f"<transcript-{request.pk}@{address.rpartition('@')[2]}>",
        },
    )
    message.attach_alternative(html, "text/html")
    for name, body, kind in attachments:
        message.attach(name, body, kind)
    return message


def _claim(request_id: UUID, now: datetime) -> bool:
    """Take the row for one attempt. Of two that try, the update of the second finds nothing."""
    due = TranscriptRequest.objects.due(now).filter(pk=request_id).order_by()
    if due.filter(error=HANDING_OVER).update(failed_at=now, error=UNKNOWN):
        log.warning("transcript_unknown", request=str(request_id))
        return False
    if due.filter(attempts__gte=ATTEMPTS).update(failed_at=now):
        return False
    # A chat that was opened again is due when it ends again.
    if due.exclude(chat__state=Chat.State.CLOSED).update(due_at=None):
        return False
    return bool(due.update(due_at=now + LEASE, attempts=F("attempts") + 1, error=""))


def _hand_over(request: TranscriptRequest, message: EmailMultiAlternatives, now: datetime) -> bool:
    mine = TranscriptRequest.objects.filter(pk=request.pk, attempts=request.attempts, sent_at=None, failed_at=None)
    if not mine.exclude(error=HANDING_OVER).update(error=HANDING_OVER):
        return False  # our lease ran out, and another attempt has it
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        is_final = all(code >= 500 for code, _said in error.recipients.values())
        return _give_up(request, error, now) if is_final else _put_off(request, error, now)
    except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError) as error:
        return _put_off(request, error, now)  # the server said no
    except (OSError, smtplib.SMTPException) as error:
        log.warning("transcript_unknown", request=str(request.pk), why=type(error).__name__)
        mine.update(failed_at=now, error=UNKNOWN)
        return False
    mine.update(sent_at=now, error="")
    return True


def _put_off(request: TranscriptRequest, error: Exception, now: datetime) -> bool:
    if request.attempts >= ATTEMPTS:
        return _give_up(request, error, now)
    log.warning("transcript_put_off", request=str(request.pk), attempt=request.attempts, why=type(error).__name__)
    mine = TranscriptRequest.objects.filter(pk=request.pk, attempts=request.attempts, sent_at=None)
    mine.update(due_at=now + BACK_OFF[request.attempts - 1], error=_said(error))
    return False


def _give_up(request: TranscriptRequest, error: Exception, now: datetime) -> bool:
    log.warning("transcript_given_up", request=str(request.pk), why=type(error).__name__)
    mine = TranscriptRequest.objects.filter(pk=request.pk, attempts=request.attempts, sent_at=None)
    mine.update(failed_at=now, error=_said(error))
    return False


def _said(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")[:300]


def _close(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except (OSError, smtplib.SMTPException):
        log.info("mail_server_hung_up")


def _attachments(transcript: Transcript) -> list[tuple[str, str | bytes, str]]:
    name = f"transcript-{transcript.reference}"
    text = (f"{name}.txt", render_text(transcript), "text/plain")
    try:
        pdf = render_pdf(transcript)
    except PressFailed:
        return [(f"{name}.html", render_html(transcript).html, "text/html"), text]
    return [(f"{name}.pdf", pdf, "application/pdf"), *([text] if beginning(transcript, SHOWN_CHARACTERS)[1] else [])]
