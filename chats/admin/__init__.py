"""Conversations in the two admins: mostly to read, since only actions write."""

from . import afterwards, chats, customers

__all__ = ["afterwards", "chats", "customers"]
