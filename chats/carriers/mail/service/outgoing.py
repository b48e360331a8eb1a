"""Handing a letter to a provider's API. What it took is sent; whatever happens instead is a Result that says whether to try again.

The APIs know no key by which a repeat is known: when no answer comes the mail is sent again, with the same Message-ID.
"""

from typing import Any

from anymail.exceptions import AnymailError, AnymailRecipientsRefused  # type: ignore[import-untyped]
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from requests import RequestException

from chats.carriers.mail.charsets import clean
from chats.carriers.mail.compose import Letter, Unfit, begun, bytes_of, one_line, write
from chats.carriers.provider import Parcel, Result
from chats.outbox.sending import Sender

from .calls import session
from .vendors import DISPATCH, Access, Vendor

AGAIN = frozenset({408, 425, 429})  # and all from 500 on
NOT_LET_IN = frozenset({401, 403})


def send(vendor: Vendor, parcel: Parcel, sender: Sender, seconds: float) -> Result:
    access = Access(parcel.own, parcel.settings, parcel.secrets)
    try:
        letter = write(parcel)
        mail = _mail(vendor, letter, parcel.id)
    except Unfit:
        return Result(error=_("Mail cannot be sent to this address."))
    except OSError:
        return Result(error=_("An attachment could not be read."))
    backend = vendor.backend(api_url=vendor.url(access), **vendor.sign_in(access))
    backend.session = session(sender, seconds)
    try:
        backend.send_messages([mail])
    except AnymailError as error:
        return _failed(vendor, error)
    given = mail.anymail_status.message_id  # type: ignore[attr-defined]
    name = clean(given)[:255] if isinstance(given, str) and given else parcel.id
    return Result(external_id=name, facts=begun(parcel, letter.message_id))


def _mail(vendor: Vendor, letter: Letter, dispatch_id: str) -> EmailMessage:
    """As anymail takes it. Providers refuse a mail without words."""
    thread = {name: " ".join(ids) for name, ids in letter.thread.items()}
    mail = EmailMessage(
        subject=letter.subject,
        body=letter.text or ", ".join(one_line(file.name) for file in letter.files),
        from_email=str(letter.sender),
        to=[letter.to],
        headers={"Message-ID": letter.message_id, **thread, **letter.headers, **vendor.headers},
    )
    for file in letter.files:
        mail.attach(one_line(file.name) or "file", bytes_of(file), file.content_type)
    # No pictures that spy, and links stay what the agent wrote.
    vars(mail).update(metadata={DISPATCH: dispatch_id}, track_opens=False, track_clicks=False)
    return mail


def _failed(vendor: Vendor, error: AnymailError) -> Result:
    response = error.response
    if isinstance(error, RequestException) and response is None:
        why = str(error.__cause__ or "")
        return Result(error=f"{vendor.label}: {why}"[:300], again=True, was_answered=False)
    status = getattr(response, "status_code", 0)
    said = clean(_words(response)) or (f"status {status}" if status else type(error).__name__)
    sentence = f"{vendor.label}: {one_line(said)}"[:300]
    if status in NOT_LET_IN:  # the center's to mend, so mail waits for that
        return Result(error=sentence, code="account", again=True)
    is_refused = isinstance(error, AnymailRecipientsRefused)
    return Result(error=sentence, again=not is_refused and (status in AGAIN or status >= 500))


def _words(response: Any) -> str:
    """Mailgun: {message}, Postmark: {Message}, SendGrid: {errors: [{message}]}; other answers as they are."""
    try:
        found = response.json()
        words = found.get("message") or found.get("Message") or found["errors"][0]["message"]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        words = getattr(response, "text", "")
    return str(words)[:500]
