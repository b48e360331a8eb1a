"""The whole of a chat: what was said elsewhere before and imported, what was said here, what happened. As JSON or CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.history import import_history
from chats.doors.throttles import UPLOADS_BY_CUSTOMER, count
from chats.events import HistoryImported
from chats.models import Chat, Event
from chats.transcripts.reading import reader_language
from chats.transcripts.sentences import SENTENCES

from .asked_chats import ImportHistory
from .callers import USER_OR_SERVER
from .door import Door
from .entries import ASSISTANT, entries_of
from .reach import Reach, as_id
from .shapes import SAID, message_id, message_shapes, readers_of, sender_id

AGENT = "agent"  # an agent elsewhere, whose id nobody knows here
COLUMNS = ("created", "sender", "senderName", "type", "message")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # as spreadsheets begin one


class History(Door):
    access = {"GET": USER_OR_SERVER, "POST": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> HttpResponseBase:
        entries = history_of(self.reach.chat(row_id))
        if self.query().get("format") != "csv":
            return Response({"history": entries})
        response = HttpResponse(as_csv(entries), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="chat-{as_id(row_id)}.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def post(self, request: Request, row_id: str) -> Response:
        """The entries as a list, or as the body's member `history`."""
        found = request.data
        said = self.read(ImportHistory, {"history": found} if isinstance(found, list) else None)
        return Response({"history": add_history(self.reach, row_id, said["history"], self.now)})


def history_of(chat: Chat) -> list[dict[str, Any]]:
    """Oldest first, what was imported before all else. What is no message has the type "event" and is told as a sentence, in the chat's language."""
    readers = readers_of(chat)
    before: list[dict[str, Any]] = []
    here: list[dict[str, Any]] = []
    with translation.override(reader_language(chat.language, chat.team.center.language)):
        for event in chat.events.select_related("sender").order_by("position"):
            if event.type == HistoryImported.type:
                before += [_imported(entry, chat) for entry in event.data["entries"]]
            elif event.index is not None and event.type in SAID:
                name = event.sender_name or chat.team.center.name
                here += [shape | {"senderName": name} for shape in message_shapes(event, chat, readers)]
            elif event.index is not None:
                here += _happened(event, chat)
    return before + here


def add_history(reach: Reach, chat_id: Any, entries: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Import what was said elsewhere before; the same once more changes nothing. The whole history. Raises NotFound, Closed, Invalid."""
    chat = reach.chat(chat_id)
    if not reach.caller.is_server:
        count(UPLOADS_BY_CUSTOMER, str(chat.customer_id))
    import_history(reach.chats(), chat.pk, entries_of(reach, chat.customer_id, entries), now=now)
    return history_of(chat)


def as_csv(entries: Iterable[dict[str, Any]]) -> str:
    """UTF-8 text with a head line. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    lines = io.StringIO()
    table = csv.writer(lines)
    table.writerow(COLUMNS)
    for entry in entries:
        said = entry["message"]
        at = datetime.fromtimestamp(entry["created"], UTC).isoformat().replace("+00:00", "Z")
        text = said if isinstance(said, str) else said["name"]
        cells = (at, entry["sender"], entry["senderName"], entry["type"], text)
        table.writerow([_inert(cell) for cell in cells])
    return lines.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" \n\u00a0").startswith(FORMULA) else cell


def _imported(entry: dict[str, Any], chat: Chat) -> dict[str, Any]:
    senders = {"customer": str(chat.customer_id), "bot": ASSISTANT}
    at = datetime.fromisoformat(entry["at"]) if entry["at"] else chat.started_at
    names = {"customer": chat.customer.name, "bot": ASSISTANT}
    return {
        "id": "",
        "chat": str(chat.pk),
        "type": "text",
        "message": entry["text"],
        "sender": senders.get(entry["kind"], AGENT),
        "senderName": entry["name"] or names.get(entry["kind"], AGENT),
        "created": int(at.timestamp()),
        "read": [],
    }


def _happened(event: Event, chat: Chat) -> list[dict[str, Any]]:
    sentence = SENTENCES.get(event.type)
    text = sentence(event) if sentence else ""
    if not text or event.index is None:
        return []
    shown = {
        "id": message_id(chat.pk, event.index),
        "chat": str(chat.pk),
        "type": "event",
        "event": event.type,
        "message": text,
        "sender": sender_id(event.sender, chat),
        "senderName": event.sender_name,
        "created": int(event.at.timestamp()),
        "read": [],
    }
    return [shown]
