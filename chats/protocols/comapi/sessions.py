"""App Messaging: sessions of customers' apps."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
