"""The chat message service: sent, read back, and as numbered events."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
