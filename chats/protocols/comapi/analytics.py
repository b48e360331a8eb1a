"""What happened in chats, counted."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
