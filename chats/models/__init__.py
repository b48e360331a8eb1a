"""Conversations as rows: fields, constraints, querysets, predicates. No callbacks."""

from .afterwards import OfflineMessage, TranscriptRequest
from .app import AppSession, PushNotice
from .attachment import Attachment, FileRemoval
from .carrier import Account, Arrival, Carriage, Carrier, Dispatch
from .chat import Chat, Participant
from .connector import Connector, OutboundMessage
from .customer import Customer, CustomerSession
from .delivery import Attempt, Delivery, Webhook
from .event import Event
from .foreign import ForeignChat, ForeignCustomer, ForeignLine
from .invitation import Invitation, Occupation
from .queue import Queue
from .rule import FormTemplate, InboundRule
from .search import Search
from .space import Conversation, SpaceChat, SpaceLine

__all__ = [
    "Account",
    "AppSession",
    "Arrival",
    "Attachment",
    "Attempt",
    "Carriage",
    "Carrier",
    "Chat",
    "Connector",
    "Conversation",
    "Customer",
    "CustomerSession",
    "Delivery",
    "Dispatch",
    "Event",
    "FileRemoval",
    "ForeignChat",
    "ForeignCustomer",
    "ForeignLine",
    "FormTemplate",
    "InboundRule",
    "Invitation",
    "Occupation",
    "OfflineMessage",
    "OutboundMessage",
    "Participant",
    "PushNotice",
    "Queue",
    "Search",
    "SpaceChat",
    "SpaceLine",
    "TranscriptRequest",
    "Webhook",
]
