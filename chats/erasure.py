"""What becomes of each text about a customer who is erased. What stays is a chat without words: its times, numbers and staff, for the figures.

A table, and complete: a test asks for the verdict on every column that could hold words, of every model that hangs on a customer or a chat.
"""

from typing import Any

from django.db import models
from django.db.models.functions import Cast

from .models import (
    Account,
    AppSession,
    Arrival,
    Attachment,
    Attempt,
    Carriage,
    Chat,
    Conversation,
    Customer,
    CustomerSession,
    Delivery,
    Dispatch,
    Event,
    ForeignChat,
    ForeignCustomer,
    ForeignLine,
    Invitation,
    OfflineMessage,
    Participant,
    PushNotice,
    Search,
    SpaceChat,
    SpaceLine,
    TranscriptRequest,
)

MARK = "erased"  # in the data of an event whose words are gone

# Rows that are deleted whole: the model, and what leads to the chat or the customer.
GONE: tuple[tuple[type[models.Model], str], ...] = (
    (PushNotice, "chat"),
    (Dispatch, "chat"),
    (Arrival, "chat"),
    (TranscriptRequest, "chat"),
    (Carriage, "chat"),
    (Attachment, "chat"),
    (Account, "customer"),
    (OfflineMessage, "customer"),
    (CustomerSession, "customer"),
)
# What foreign APIs keep. It is deleted last, because the end of an open chat is still told in their words.
FOREIGN: tuple[tuple[type[models.Model], str], ...] = (
    (SpaceChat, "chat"),
    (ForeignChat, "chat"),
    (ForeignCustomer, "customer"),
)
# These go with the rows that they hang on.
WITH_THEM: frozenset[type[models.Model]] = frozenset({SpaceLine, ForeignLine, AppSession, Conversation})
# Calls to web hooks are deleted, too, but for those that tell of the erasure.
CALLS: frozenset[type[models.Model]] = frozenset({Delivery, Attempt})
# Columns that are emptied. A client's id has to stay unique, so the chat's own stands there.
EMPTIED: dict[type[models.Model], dict[str, Any]] = {
    Customer: {
        "name": "",
        "email": "",
        "phone": "",
        "language": "",
        "time_zone": "",
        "external_id": None,
        "data": {},
        "notes": "",
        "block_reason": "",
    },
    Chat: {
        "client_id": Cast("pk", models.CharField()),
        "subject": "",
        "skills": [],
        "data": {},
        "page_url": "",
        "page_title": "",
        "last_text": "",
        "comment": "",
        "rating_comment": "",
    },
    Participant: {"name": ""},  # the customer's; agents keep theirs
    Event: {"text": "", "client_id": None},
    ForeignChat: {"external_id": "", "facts": {}, "account": ""},
}
# Columns that hold our own words: states, codes, kinds. A chat's language names nobody.
KEPT: dict[type[models.Model], set[str]] = {
    Chat: {"state", "language", "close_reason", "last_sender_kind"},
    Participant: {"kind"},
    Event: {"type", "sender_kind", "sender_name", "data"},  # but the customer's name; the data by the tables below
    Invitation: {"state", "reason"},
    Search: {"strategy"},
}
# What the data of events becomes in which all is words …
EMPTY_EVENTS: dict[str, dict[str, Any]] = {
    "message.posted": {"attachments": []},
    "note.posted": {"attachments": []},
    "customer.reminded": {},
    "customer.updated": {"changed": {}},
    "chat.updated": {"changed": {}},
    "history.imported": {"entries": []},
}
# … what is overwritten in which some is …
PARTLY_EMPTY_EVENTS: dict[str, dict[str, Any]] = {
    "chat.started": {"subject": ""},
    "chat.moved": {"address": ""},
    "chat.disposed": {"comment": ""},
    "message.failed": {"error": ""},
    "survey.answered": {"comment": ""},
}
# … and those that name nobody but staff.
WORDLESS_EVENTS = frozenset(
    {
        "agent.joined",
        "agent.left",
        "chat.closed",
        "chat.erased",
        "chat.queued",
        "chat.reopened",
        "chat.transferred",
        "guest.declined",
        "guest.invited",
        "invitation.accepted",
        "invitation.declined",
        "invitation.expired",
        "invitation.offered",
        "invitation.withdrawn",
        "message.resent",
        "routing.decided",
        "search.failed",
    }
)
