"""Conversations in the two admins: mostly to read, since only actions write."""

from . import afterwards, carriers, chats, connectors, customers, deliveries, dispatches, push_notices, webhooks

__all__ = [
    "afterwards",
    "carriers",
    "chats",
    "connectors",
    "customers",
    "deliveries",
    "dispatches",
    "push_notices",
    "webhooks",
]
