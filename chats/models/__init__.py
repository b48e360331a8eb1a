"""Conversations as rows: fields, constraints, querysets, predicates. No callbacks."""

from .afterwards import OfflineMessage, TranscriptRequest
from .attachment import Attachment
from .chat import Chat, Participant
from .customer import Customer, CustomerSession
from .event import Event
from .invitation import Invitation, Occupation
from .queue import Queue

__all__ = [
    "Attachment",
    "Chat",
    "Customer",
    "CustomerSession",
    "Event",
    "Invitation",
    "Occupation",
    "OfflineMessage",
    "Participant",
    "Queue",
    "TranscriptRequest",
]
