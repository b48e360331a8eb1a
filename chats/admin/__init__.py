"""Conversations in the two admins: mostly to read, since only actions write."""

from . import (
    afterwards,
    carriers,
    chats,
    connectors,
    customers,
    deliveries,
    dispatches,
    form_templates,
    push_notices,
    rules,
    webhooks,
)

__all__ = [
    "afterwards",
    "carriers",
    "chats",
    "connectors",
    "customers",
    "deliveries",
    "dispatches",
    "form_templates",
    "push_notices",
    "rules",
    "webhooks",
]
