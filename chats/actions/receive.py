"""What comes in over a channel that we speak ourselves: into its sender's open chat, or a new one; each message once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from chats.errors import Blocked, Refused
from chats.events import MessagePosted, record
from chats.files.store import discard_unsent, store_attachment
from chats.models import Account, Arrival, Carrier, Chat, Participant
from contactcenter.models import Channel

from .links import Link
from .post import Post, post_message
from .rules import follow, rules_for, silent, team_of
from .start import Start, Way, start_chat
from .text import MAX_TEXT
from .ways import account_of, move
from .welcome import say_out_of_hours


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """A message as a carrier has read and verified it. external_id: the provider's, by which a repeat is known; address: the sender's, in one spelling.

    files: (name, bytes); facts: what the carriage keeps of it; said: what a program says beside it and is given back; is_automatic: a program wrote it, which no rule answers.
    """

    external_id: str
    address: str
    text: str = ""
    name: str = ""
    subject: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    links: tuple[Link, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    is_automatic: bool = False


@dataclass(frozen=True)
class Received:
    """`chat` is None for who is blocked; `replayed`: it was here before. refused: names of files that were not taken."""

    chat: Chat | None
    index: int | None
    replayed: bool
    refused: tuple[str, ...] = ()


def receive(channel: Channel, inbound: Inbound, *, now: datetime) -> Received:
    """Write the message where it belongs, and move the chat to this channel.

    A repeat is answered as the first one was. Raises TooMany for who writes too fast, and Invalid for what holds nothing.
    """
    kept: list[UUID] = []
    try:
        with transaction.atomic():
            return _receive(channel, inbound, kept, now)
    except BaseException:
        discard_unsent(kept)  # their rows went with the transaction
        raise


def _receive(channel: Channel, inbound: Inbound, kept: list[UUID], now: datetime) -> Received:
    account = account_of(channel, inbound.address, name=inbound.name, now=now)
    # With the customer's row locked: a repeat at the same moment waited for it.
    known = Arrival.objects.filter(channel=channel, external_id=inbound.external_id).select_related("chat").first()
    if known is not None:
        return Received(known.chat, known.index, replayed=True)
    Account.objects.filter(pk=account.pk).update(last_inbound_at=now)
    Carrier.objects.filter(channel=channel).update(heard_at=now)
    arrival = Arrival(center_id=channel.center_id, channel=channel, external_id=inbound.external_id, at=now)
    try:
        chat, index, refused = _write(channel, account, inbound, kept, now)
    except Blocked:
        arrival.save(force_insert=True)
        return Received(None, None, replayed=False)
    arrival.chat, arrival.index = chat, index
    arrival.save(force_insert=True)
    return Received(chat, index, replayed=False, refused=refused)


def _write(
    channel: Channel, account: Account, inbound: Inbound, kept: list[UUID], now: datetime
) -> tuple[Chat, int | None, tuple[str, ...]]:
    client_id = sha256(f"{channel.pk} {inbound.external_id}".encode()).hexdigest()
    chat = Chat.objects.open().filter(customer=account.customer_id).locked().first()
    is_new = chat is None
    # In a thread every answer repeats the subject: it counts once.
    rules = rules_for(channel, f"{inbound.subject}\n{inbound.text}" if is_new else inbound.text)
    if chat is None:
        subject, way = inbound.subject[:200], Way(account, inbound.facts)
        start = Start(client_id=client_id, team=team_of(rules), subject=subject, way=way, greets=False)
        chat = start_chat(channel, account.customer, start, now=now).chat
    else:
        move(chat, channel, account, facts=inbound.facts, now=now)
    me = chat.participants.get(kind=Participant.Kind.CUSTOMER)
    refused = _keep_files(chat, me, inbound.files, kept, now)
    text = inbound.text or (inbound.subject if not kept and not inbound.links else "")
    text = _name_refused(text, refused)
    post = Post(chat.pk, me.pk, client_id, text, tuple(kept), links=inbound.links, facts=inbound.said, is_carried=True)
    posted = post_message(post, now=now)
    chat.refresh_from_db()
    if is_new and chat.team.greeting:  # answers the first text, so it stands below it
        record(chat, MessagePosted(text=chat.team.greeting), now=now)
    if is_new:
        say_out_of_hours(chat, now)
    # Programs that answer each other never end, and who has just said STOP wants no answer.
    is_mute = inbound.is_automatic or account.stopped_at is not None
    follow(silent(rules) if is_mute else rules, chat, now=now)
    return chat, posted.index, refused


def _name_refused(text: str, refused: Sequence[str]) -> str:
    """The text with the names of the files that were not taken, cut to what a message may hold."""
    names = _("Files that were not taken: %(names)s") % {"names": ", ".join(refused)[:1000]} if refused else ""
    if not names:
        return text[:MAX_TEXT]
    return f"{text[: MAX_TEXT - len(names) - 2]}\n\n{names}".strip()


def _keep_files(
    chat: Chat, me: Participant, files: Sequence[tuple[str, bytes]], kept: list[UUID], now: datetime
) -> tuple[str, ...]:
    """Into `kept` the ids of those that are taken; returns the names of the others: a mail is not lost because of its attachment."""
    refused = []
    for name, data in files:
        try:
            with transaction.atomic():
                kept.append(store_attachment(chat, me, SimpleUploadedFile(name, data), now).pk)
        except Refused:
            refused.append(name)
    return tuple(refused)
