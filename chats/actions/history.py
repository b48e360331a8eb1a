"""What was said before a chat came to us, to a bot say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext_lazy as _

from chats.errors import Full, Invalid
from chats.events import HistoryImported, record
from chats.models import Chat

from .locking import lock_open_chat
from .text import check_text

MOST_ENTRIES = 150  # in one call
MOST_IMPORTS = 10  # into one chat: each is read with every look at its log
MOST_TEXT = 2000  # characters kept of one entry
MOST_NAME = 100
KINDS = ("customer", "bot", "agent")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of an earlier conversation. kind: customer, bot or agent; `name` may be empty; `at` is None where nobody knows, and UTC where it names no zone."""

    kind: str
    text: str
    name: str = ""
    at: datetime | None = None


@transaction.atomic
def import_history(chats: Any, chat_id: UUID, entries: Sequence[Entry], *, now: datetime) -> Chat:
    """Add what was said elsewhere before, oldest first, to an open chat's log for staff. The same entries once more change nothing.

    Raises Invalid, NotFound, Closed, Full.
    """
    imported = history_event(entries)
    chat = lock_open_chat(chats, chat_id)
    known = list(chat.events.filter(type=HistoryImported.type).values_list("data", flat=True))
    if imported.entries and imported.data() not in known:
        if len(known) >= MOST_IMPORTS:
            raise Full(_("Into one chat history can be imported ten times."))
        record(chat, imported, now=now)
    return chat


def history_event(entries: Sequence[Entry]) -> HistoryImported:
    """The event that keeps these entries, each cut at 2,000 characters. Raises Invalid."""
    if len(entries) > MOST_ENTRIES:
        raise Invalid(fields={"history": _("At most 150 lines can be imported at once.")})
    return HistoryImported(entries=[_kept(entry) for entry in entries if entry.text.strip()])


def _kept(entry: Entry) -> dict[str, Any]:
    if entry.kind not in KINDS:
        raise Invalid(fields={"history": _("Say of each line whether a customer, a bot or an agent wrote it.")})
    text, name = entry.text[:MOST_TEXT], entry.name[:MOST_NAME]
    check_text(text)
    check_text(name)
    at = make_aware(entry.at, UTC) if entry.at and is_naive(entry.at) else entry.at
    return {"kind": entry.kind, "name": name, "text": text, "at": at.isoformat() if at else None}
