"""Our event → the lines that Genesys' clients read, in a numbering of their own: typing counts, staff's lines do not.

Written within the transaction of the event, with the chat's row locked, so that the numbers have no holes and no reader sees one before its
event. Who takes part has a number too, kept with the chat: the customer 1, the system 2, agents as they come.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from chats.doors.aside import aside
from chats.events import Record, Whisper
from chats.languages import spoken
from chats.links import link_name
from chats.live import hub
from chats.models import Chat, Event, ForeignChat, ForeignLine, hot
from contactcenter.models import Registration

TEXT, JOINED, LEFT = "Text", "ParticipantJoined", "ParticipantLeft"
TYPING_STARTED, TYPING_STOPPED = "TypingStarted", "TypingStopped"
CUSTOMER, AGENT, EXTERNAL = "Customer", "Agent", "External"
CUSTOMER_ID, SYSTEM_ID = "1", "2"
SYSTEM = "system"  # who says automatic messages
# Facts that are kept with a chat: {who: {nickname, participantId, type}}, and who types at the moment.
PARTICIPANTS, TYPING = "participants", "typing"
MOST_REMEMBERED = 10_000  # chats


@dataclass(frozen=True)
class Line:
    """`who`: customer, system, or an agent's id."""

    type: str
    who: str
    name: str = ""
    text: str = ""


Lines = Callable[[Event, Chat], list[Line]]


def _started(event: Event, chat: Chat) -> list[Line]:
    return [Line(JOINED, CUSTOMER, event.sender_name), Line(JOINED, SYSTEM)]


def _said(event: Event, chat: Chat) -> list[Line]:
    who, name = _sender(event)
    # A client that knows texts alone learns at least that there is a file, and what it is called.
    names = [file["name"] for file in event.data.get("attachments", [])]
    links = [link_name(link) for link in event.data.get("links", [])]
    return [Line(TEXT, who, name, text) for text in [event.text, *names, *links] if text]


def _failed(event: Event, chat: Chat) -> list[Line]:
    with translation.override(spoken(chat.language, chat.center.language) or settings.LANGUAGE_CODE):
        return [Line(TEXT, SYSTEM, text=_("Nobody is free at the moment."))]


def _closed(event: Event, chat: Chat) -> list[Line]:
    """The end has no line of its own: everybody who is there leaves, the customer last. Nothing follows, so who reads lines alone knows it by that."""
    staff = chat.participants.filter(agent__isnull=False, left_at=event.at).order_by("joined_at", "pk")
    return [Line(LEFT, str(one.agent_id), one.name) for one in staff] + [Line(LEFT, CUSTOMER)]


def _reopened(event: Event, chat: Chat) -> list[Line]:
    return [Line(JOINED, CUSTOMER)]


def _agent(kind: str) -> Lines:
    return lambda event, chat: [Line(kind, event.data["agent"], event.data["name"])]


def _silent(event: Event, chat: Chat) -> list[Line]:
    return []


# Each event of the log has its row (genesys: Messages, customer chat API).
TABLE: dict[str, Lines] = {
    "chat.started": _started,
    "message.posted": _said,
    "customer.reminded": _said,
    "agent.joined": _agent(JOINED),
    "agent.left": _agent(LEFT),
    "search.failed": _failed,
    "chat.closed": _closed,
    "chat.reopened": _reopened,
    "chat.queued": _silent,
    "chat.transferred": _silent,
    "chat.disposed": _silent,
    "chat.erased": _silent,
    "chat.moved": _silent,
    "chat.updated": _silent,
    "customer.updated": _silent,
    "guest.declined": _silent,
    "guest.invited": _silent,
    "history.imported": _silent,
    "invitation.accepted": _silent,
    "invitation.declined": _silent,
    "invitation.expired": _silent,
    "invitation.offered": _silent,
    "invitation.withdrawn": _silent,
    "message.failed": _silent,
    "message.resent": _silent,
    "note.posted": _silent,
    "routing.decided": _silent,
    "survey.answered": _silent,
}
SPOKEN = tuple(kind for kind, lines in TABLE.items() if lines is not _silent)


def write_records(records: Iterable[Record], **_: Any) -> None:
    """events.recorded: within the transaction, whose writer has locked the chats."""
    foreign = [record for record in records if record.chat.is_foreign and record.chat.may_be_numbered]
    if not foreign:
        return
    known = {one.chat_id: one for one in hot.load_numbered({record.chat.pk for record in foreign})}
    rows: list[ForeignLine] = []
    for record in foreign:
        if record.chat.pk in known:
            lines = TABLE[record.event.type](record.event, record.chat)
            rows += _number(known[record.chat.pk], lines, record.event.at, record.event.position)
    _store(rows)


def write_whisper(chat_id: UUID, whisper: Whisper, **_: Any) -> None:
    """events.whispered: who begins or stops to type. Only a change counts: holding a key down makes no lines."""
    if whisper.kind == "typing":
        said = whisper.data
        # Sockets whisper on the event loop, where nobody may ask the database.
        aside.do(
            partial(
                show_typing,
                chat_id,
                sender_kind=said["sender"]["kind"],
                sender_id=said["sender"]["id"],
                active=said["active"],
            )
        )


def show_typing(chat_id: UUID, *, sender_kind: str, sender_id: str, active: bool) -> None:
    """A typing line for a chat of this door; nothing for any other. `sender_id`: the participant."""
    if not _is_ours(chat_id):
        return
    now = timezone.now()
    with transaction.atomic():
        chat = Chat.objects.open().filter(pk=chat_id).locked().first()
        sender = chat.participants.joined().filter(pk=sender_id).first() if chat else None
        if sender is None:
            return
        foreign = _ours({chat_id}).get()
        who = CUSTOMER if sender_kind == "customer" else str(sender.agent_id)
        typing = set(foreign.facts.get(TYPING, []))
        if (who in typing) == active:
            return
        line = Line(TYPING_STARTED if active else TYPING_STOPPED, who, sender.name)
        _store(_number(foreign, [line], now, None))
        # A whisper ends no long poll; this does.
        payload = {"kind": "hint", "what": "typing"}
        transaction.on_commit(lambda: hub.announce(f"customer:{chat_id}", payload), robust=True)


def known_as(nickname: str) -> dict[str, Any]:
    """The facts of a chat that begins: its customer has this name here, whatever our own rows say."""
    return {PARTICIPANTS: {CUSTOMER: {"nickname": nickname, "participantId": CUSTOMER_ID, "type": CUSTOMER}}}


def _ours(chat_ids: set[UUID]) -> "QuerySet[ForeignChat]":
    return ForeignChat.objects.filter(chat_id__in=chat_ids, registration__protocol=Registration.Protocol.GENESYS)


@lru_cache(maxsize=MOST_REMEMBERED)
def _is_ours(chat_id: UUID) -> bool:
    """Whether the chat began at this door, which never changes: whoever types in another asks the database once."""
    return _ours({chat_id}).exists()


def _number(foreign: ForeignChat, lines: list[Line], at: datetime, position: int | None) -> list[ForeignLine]:
    """The lines as rows with the chat's next numbers."""
    rows = []
    for line in _with_typing(foreign, lines):
        foreign.head += 1
        row = ForeignLine(center_id=foreign.center_id, foreign_chat=foreign, number=foreign.head, type=line.type)
        row.position, row.at, row.data = position, at, {"from": speaker(foreign, line)}
        if line.text:
            row.data["text"] = line.text
        rows.append(row)
    return rows


def _with_typing(foreign: ForeignChat, lines: list[Line]) -> Iterator[Line]:
    """The lines, and between them that somebody has stopped typing by saying it; the facts keep who types."""
    for line in lines:
        typing = set(foreign.facts.get(TYPING, []))
        if line.type == TEXT and line.who in typing:
            yield Line(TYPING_STOPPED, line.who, line.name)
        foreign.facts[TYPING] = sorted(typing | {line.who} if line.type == TYPING_STARTED else typing - {line.who})
        yield line


def speaker(foreign: ForeignChat, line: Line) -> dict[str, str]:
    """{nickname, participantId, type} of who a line is about; who is new gets the next number."""
    known: dict[str, dict[str, str]] = foreign.facts.setdefault(PARTICIPANTS, {})
    if line.who not in known:
        number = {CUSTOMER: CUSTOMER_ID, SYSTEM: SYSTEM_ID}.get(line.who) or str(max(len(known), 2) + 1)
        kind = {CUSTOMER: CUSTOMER, SYSTEM: EXTERNAL}.get(line.who, AGENT)
        nickname = SYSTEM if line.who == SYSTEM else line.name
        known[line.who] = {"nickname": nickname, "participantId": number, "type": kind}
    return known[line.who]


def _store(rows: list[ForeignLine]) -> None:
    """The lines, and their chats' heads and facts."""
    if rows:
        hot.insert_lines(rows)
        hot.save_foreign({row.foreign_chat_id: row.foreign_chat for row in rows}.values())


def _sender(event: Event) -> tuple[str, str]:
    if event.sender is None:
        return SYSTEM, ""
    return (str(event.sender.agent_id) if event.sender.agent_id else CUSTOMER), event.sender_name
