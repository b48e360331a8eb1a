"""Conversations as rows: fields, constraints, querysets, predicates. No callbacks."""

from .afterwards import OfflineMessage, TranscriptRequest
from .attachment import Attachment
from .chat import Chat, Participant
from .customer import Customer, CustomerSession
from .delivery import Attempt, Delivery, Webhook
from .event import Event
from .foreign import ForeignChat, ForeignCustomer, ForeignLine
from .invitation import Invitation, Occupation
from .queue import Queue
from .search import Search

__all__ = [
    "Attachment",
    "Attempt",
    "Chat",
    "Customer",
    "CustomerSession",
    "Delivery",
    "Event",
    "ForeignChat",
    "ForeignCustomer",
    "ForeignLine",
    "Invitation",
    "Occupation",
    "OfflineMessage",
    "Participant",
    "Queue",
    "Search",
    "TranscriptRequest",
    "Webhook",
]
