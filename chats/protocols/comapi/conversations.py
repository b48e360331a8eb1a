"""App Messaging: conversations and what is said in them."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
