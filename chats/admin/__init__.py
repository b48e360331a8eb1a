"""Conversations in the two admins: mostly to read, since only actions write."""

from . import afterwards, chats, customers, deliveries, webhooks

__all__ = ["afterwards", "chats", "customers", "deliveries", "webhooks"]
