"""Who answers."""

from .agent import Agent, Membership, Slot
from .desk import CannedReply, Disposition
from .presence import Presence, Ticket

__all__ = ["Agent", "CannedReply", "Disposition", "Membership", "Presence", "Slot", "Ticket"]
