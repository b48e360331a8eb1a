"""What our side says where no agent speaks: a program's bot, or a message that is sent automatically."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid
from chats.events import MessagePosted, Speaker, record
from chats.links import link_name
from chats.models import Attachment, Chat, Event, Participant

from .links import Link, check_links
from .locking import lock_open_chat
from .post import Posted
from .text import check_text

LONGEST_NAME = 100  # characters of what the log keeps of who spoke


@dataclass(frozen=True, kw_only=True)
class HouseWords:
    """name: who speaks, as people are shown it, empty for nobody in particular; is_automatic: no answer to what the customer said last, so nothing but the log changes.

    attachment_ids: files of this chat that nobody has sent yet; facts: as Post's.
    """

    text: str
    client_id: str
    name: str = ""
    is_automatic: bool = False
    attachment_ids: tuple[UUID, ...] = ()
    links: tuple[Link, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def say_for_house(chats: Any, chat_id: UUID, words: HouseWords, *, now: datetime) -> Posted:
    """Raises Invalid, NotFound, Closed, TooLarge."""
    check_text(words.text)
    check_links(words.links)
    if not words.text.strip() and not words.attachment_ids and not words.links:
        raise Invalid(fields={"text": _("Write something first.")})
    chat = lock_open_chat(chats, chat_id)
    files = _files(chat, words.attachment_ids)
    happened = MessagePosted(
        text=words.text,
        client_id=words.client_id,
        attachments=[file.snapshot() for file in files],
        links=list(words.links),
        facts=dict(words.facts),
    )
    if not words.is_automatic:
        _answer(chat, happened, now)
    speaker = Speaker("system" if words.is_automatic else Participant.Kind.BOT, words.name[:LONGEST_NAME])
    event = record(chat, happened, speaker=speaker, now=now)[0].event
    _send(files, event)
    return Posted(chat.pk, words.client_id, event.position, event.index, now)


def _files(chat: Chat, ids: tuple[UUID, ...]) -> list[Attachment]:
    """In their order. Raises Invalid for one that is not there to be sent."""
    unsent = Attachment.objects.filter(chat=chat, position=None).in_bulk(list(ids)) if ids else {}
    if len(unsent) != len(set(ids)):
        raise Invalid(fields={"attachments": _("This file was not uploaded for this message.")})
    return [unsent[one] for one in dict.fromkeys(ids)]


def _send(files: list[Attachment], event: Event) -> None:
    for file in files:
        file.position = event.position
    Attachment.objects.bulk_update(files, ["position"])


def _answer(chat: Chat, said: MessagePosted, now: datetime) -> None:
    """A bot's answer is one: the customer no longer waits for it."""
    names = [file["name"] for file in said.attachments] + [link_name(link) for link in said.links]
    chat.last_text, chat.last_text_at = (said.text or ", ".join(names))[:200], now
    chat.last_sender_kind = Participant.Kind.BOT
    chat.last_agent_at = now
    chat.first_answered_at = chat.first_answered_at or now
    chat.waiting_since = None
