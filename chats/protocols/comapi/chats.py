"""The chat service: begun, read, changed, assigned, closed, deleted."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
