"""Conversations as rows: fields, constraints, querysets, predicates. No callbacks."""

from .afterwards import OfflineMessage, TranscriptRequest
from .attachment import Attachment
from .carrier import Account, Arrival, Carriage, Carrier, Dispatch
from .chat import Chat, Participant
from .connector import Connector, OutboundMessage
from .customer import Customer, CustomerSession
from .delivery import Attempt, Delivery, Webhook
from .event import Event
from .foreign import ForeignChat, ForeignCustomer, ForeignLine
from .invitation import Invitation, Occupation
from .queue import Queue
from .search import Search

__all__ = [
    "Account",
    "Arrival",
    "Attachment",
    "Attempt",
    "Carriage",
    "Carrier",
    "Chat",
    "Connector",
    "Customer",
    "CustomerSession",
    "Delivery",
    "Dispatch",
    "Event",
    "ForeignChat",
    "ForeignCustomer",
    "ForeignLine",
    "Invitation",
    "Occupation",
    "OfflineMessage",
    "OutboundMessage",
    "Participant",
    "Queue",
    "Search",
    "TranscriptRequest",
    "Webhook",
]
