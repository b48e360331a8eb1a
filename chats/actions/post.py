"""The hot action: messages and notes, many at a time.

Whoever posts alone posts a batch of one. A batch is one transaction: lock the chats, refuse item by item, draw the numbers, insert, save the heads.
What breaks the batch as a whole (a value that the database refuses) is found by trying each item alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from chats.errors import Closed, Conflict, Forbidden, Invalid, NotFound, Refused, TooMany
from chats.events import MessagePosted, NotePosted, Record, number, store
from chats.links import link_name
from chats.models import Attachment, Chat, Event, Participant, hot
from contactcenter import wire

from .links import Link, check_links
from .text import check_text
from .ways import return_home

PACE = timedelta(seconds=1)  # a customer's sustained pace: 60 messages a minute
BURST = timedelta(seconds=60)  # how far ahead of that pace one may be


@dataclass(frozen=True, slots=True)
class Post:
    """One message to post. `sender_id` is a participant whom the door has proven; `attachment_ids` were uploaded by the same."""

    chat_id: UUID
    sender_id: UUID
    client_id: str
    text: str
    attachment_ids: tuple[UUID, ...] = ()
    is_note: bool = False
    links: tuple[Link, ...] = ()
    is_carried: bool = (
        False  # it came by the chat's own channel, not by the website or app on which the chat may have begun
    )
    to: tuple[dict[str, str], ...] = ()  # {id, name} of the participants it is meant for; empty: all
    facts: Mapping[str, Any] = field(default_factory=dict)  # a foreign client's own, given back to it as they are


@dataclass(frozen=True, slots=True)
class Posted:
    """The message's numbers. `index` is None for a note."""

    chat_id: UUID
    client_id: str
    position: int
    index: int | None
    at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Busy:
    """Another transaction has the chat's row: put this item into the next batch."""


def post_message(post: Post, *, now: datetime) -> Posted:
    """Post one message; waits for the chat's row. Raises a Refused."""
    outcome = _post_all([post], now, skip_locked=False)[0]
    if isinstance(outcome, Refused):
        raise outcome
    assert isinstance(outcome, Posted)  # noqa: S101 - only SKIP LOCKED makes Busy
    return outcome


def post_messages(posts: Sequence[Post], *, now: datetime) -> list[Posted | Refused | Busy]:
    """Post a batch without waiting for anybody's row; the outcomes stand in the order of the posts. Posts to one chat get their numbers in that order."""
    return _post_all(posts, now, skip_locked=True)


def _post_all(posts: Sequence[Post], now: datetime, *, skip_locked: bool) -> list[Posted | Refused | Busy]:
    try:
        with transaction.atomic(), wire.together():
            return _Batch(posts, now).write(skip_locked)
    except (DataError, IntegrityError) as error:
        if len(posts) == 1:
            return [Invalid() if isinstance(error, DataError) else Conflict()]
        return [_post_all([post], now, skip_locked=skip_locked)[0] for post in posts]


class _Batch:
    """The rows that one transaction needs, and what becomes of each item."""

    def __init__(self, posts: Sequence[Post], now: datetime) -> None:
        self.posts = posts
        self.now = now
        self.records: list[Record] = []
        self.sent: list[Attachment] = []

    def write(self, skip_locked: bool) -> list[Posted | Refused | Busy]:
        self._load(skip_locked)
        outcomes = [self._try(post) for post in self.posts]
        if self.records:
            moved = {record.chat.pk: record.chat for record in self.records}
            store(self.records, moved.values())
            if self.sent:
                Attachment.objects.bulk_update(self.sent, ["position"])
        return outcomes

    def _load(self, skip_locked: bool) -> None:
        chat_ids = {post.chat_id for post in self.posts}
        senders = {post.sender_id for post in self.posts}
        tries = {(post.sender_id, post.client_id) for post in self.posts}
        chats, people, first_tries = hot.lock_chats(chat_ids, senders, tries, skip_locked=skip_locked)
        self.chats = {chat.pk: chat for chat in chats}
        absent = chat_ids - set(self.chats)  # locked by others, or not there at all
        self.busy = (
            set(Chat.objects.filter(pk__in=absent).values_list("pk", flat=True)) if absent and skip_locked else set()
        )
        self.senders = {sender.pk: sender for sender in people}
        self.known = {(event.sender_id, event.client_id): event for event in first_tries}
        wanted = {file_id for post in self.posts for file_id in post.attachment_ids}
        self.files = Attachment.objects.in_bulk(wanted) if wanted else {}

    def _try(self, post: Post) -> Posted | Refused | Busy:
        if post.chat_id in self.busy:
            return Busy()
        try:
            return self._post(post)
        except Refused as refusal:
            return refusal

    def _post(self, post: Post) -> Posted:
        chat, sender = self.chats.get(post.chat_id), self.senders.get(post.sender_id)
        if chat is None or sender is None or sender.chat_id != chat.pk:
            raise NotFound
        first = self.known.get((post.sender_id, post.client_id))
        if first is not None:
            return _replay(first, post)
        check_text(post.text)
        check_links(post.links)
        if not post.text.strip() and not post.attachment_ids and not post.links:
            raise Invalid(fields={"text": _("Write something first.")})
        _check_may_post(chat, sender, post)
        files = self._files_of(post, sender)
        if sender.kind == Participant.Kind.CUSTOMER:
            _keep_pace(chat, self.now)
            if chat.is_carried and not post.is_carried and not post.is_note:
                self.records += return_home(chat, sender, self.now)
        kind = NotePosted if post.is_note else MessagePosted
        snapshots = [file.snapshot() for file in files]
        happened = kind(
            text=post.text,
            client_id=post.client_id,
            attachments=snapshots,
            links=list(post.links),
            to=list(post.to),
            facts=dict(post.facts),
        )
        event = number(chat, happened, sender=sender, now=self.now)
        for file in files:
            file.position = event.position
        self.sent.extend(files)
        if not post.is_note:
            _move_head(chat, sender, event, self.now)
        self.known[(post.sender_id, post.client_id)] = event
        self.records.append(Record(chat, event))
        return Posted(chat.pk, post.client_id, event.position, event.index, self.now)

    def _files_of(self, post: Post, sender: Participant) -> list[Attachment]:
        files = [self.files.get(file_id) for file_id in post.attachment_ids]
        mine = [file for file in files if file and file.uploader_id == sender.pk and file.position is None]
        if len(mine) != len(files):
            raise Invalid(fields={"attachments": _("This file was not uploaded for this message.")})
        return mine


def _replay(first: Event, post: Post) -> Posted:
    """The first answer again; another body under the same id is refused."""
    sent = tuple(UUID(file["id"]) for file in first.data.get("attachments", []))
    is_note = first.type == NotePosted.type
    links, to = first.data.get("links", []), first.data.get("to", [])
    said = (first.text, sent, is_note, links, to)
    if said != (post.text, tuple(post.attachment_ids), post.is_note, list(post.links), list(post.to)):
        raise Conflict(_("Another message was already sent under this id."))
    return Posted(first.chat_id, post.client_id, first.position, first.index, first.at, replayed=True)


def _check_may_post(chat: Chat, sender: Participant, post: Post) -> None:
    if not chat.is_open:
        raise Closed
    if sender.kind == Participant.Kind.CUSTOMER:
        # Behind another API's client may stand a bot or a connector, which has something to say to staff alone.
        if post.is_note and not chat.is_foreign:
            raise Forbidden
    elif not post.is_note and (chat.state != Chat.State.ACTIVE or not _is_in(chat, sender)):
        raise Forbidden(_("Take the chat before you answer in it."))


def _is_in(chat: Chat, sender: Participant) -> bool:
    """Its own agent, or a guest of that one."""
    return chat.agent_id == sender.agent_id or sender.is_guest


def _keep_pace(chat: Chat, now: datetime) -> None:
    """The generic cell rate algorithm: `pace_at` is when the last message would have come at the sustained pace."""
    pace_at = max(chat.pace_at or now, now) + PACE
    if pace_at - now > BURST:
        raise TooMany(retry_after=(pace_at - now - BURST).total_seconds())
    chat.pace_at = pace_at


def _move_head(chat: Chat, sender: Participant, event: Event, now: datetime) -> None:
    """What lists and deadlines want to know of a chat's last message."""
    files = [file["name"] for file in event.data["attachments"]]
    names = ", ".join([*files, *map(link_name, event.data.get("links", []))])
    chat.last_text, chat.last_text_at, chat.last_sender_kind = (event.text or names)[:200], now, sender.kind
    if sender.kind == Participant.Kind.CUSTOMER:
        chat.last_customer_at = now
        chat.waiting_since = chat.waiting_since or now
        chat.unread += 1
        chat.reminded_at = None
    else:
        chat.last_agent_at = now
        chat.first_answered_at = chat.first_answered_at or now
        chat.waiting_since = None
