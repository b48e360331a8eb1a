"""Asking for a transcript by mail. The row is the obligation: mailed once the chat has ended, once per address."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from chats.due import do_soon
from chats.errors import Forbidden, Invalid, TooMany
from chats.models import Chat, TranscriptRequest

from .locking import lock_chat

ADDRESSES = 3  # of one chat
MAX_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, as errata 1690 counts it


@transaction.atomic
def request_transcript(chat: Chat, email: str, *, language: str = "", now: datetime) -> TranscriptRequest:
    """The chat's customer wants the transcript at an address typed in this chat's own client.

    The door has proven the customer. Asking again for the same address changes nothing. Raises Invalid, TooMany, NotFound.
    """
    return _request(lock_chat(Chat.objects, chat.pk), _check_address(email), language, now)


@transaction.atomic
def request_transcript_by_agent(
    agent: Agent, chat_id: UUID, email: str, *, language: str = "", now: datetime
) -> TranscriptRequest:
    """Staff has the customer's transcript sent, but only to an address that this customer gave.

    Raises Forbidden (another address), Invalid, TooMany, NotFound.
    """
    chat = lock_chat(agent.center.chats, chat_id)
    address = _check_address(email)
    if not _was_given(chat, address):
        raise Forbidden(_("A transcript goes only to an address that the customer gave."))
    return _request(chat, address, language, now)


def _check_address(email: str) -> str:
    """One plain address in lower case: two spellings of a mailbox are one obligation. Nothing that could be a second header."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    if not address or not address.isprintable() or len(address) > MAX_ADDRESS:
        raise Invalid(fields={"email": _("Write an address such as name@example.com.")})
    return address


def _was_given(chat: Chat, address: str) -> bool:
    if chat.customer.email.lower() == address:
        return True
    written = chat.events.public().filter(sender_kind="customer", text__icontains=address)
    return any(address in words(text) for text in written.values_list("text", flat=True))


def words(text: str) -> set[str]:
    """The words of a text without the punctuation around them, so that bob@example.com is not found in notbob@example.com."""
    return {word.strip("<>()[]{}\"'.,;:!?") for word in text.lower().replace("mailto:", " ").split()}


def _request(chat: Chat, address: str, language: str, now: datetime) -> TranscriptRequest:
    known = chat.transcript_requests.filter(email=address).first()
    if known:
        return known
    if chat.transcript_requests.count() >= ADDRESSES:
        raise TooMany(_("A transcript goes to {count} addresses at most.").format(count=ADDRESSES))
    request = TranscriptRequest.objects.create(
        center_id=chat.center_id,
        chat=chat,
        email=address,
        language=language[:10],
        requested_at=now,
        due_at=None if chat.is_open else now,
    )
    if not chat.is_open:
        do_soon("mail_transcript", request.pk)
    return request
