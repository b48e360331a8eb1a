"""The chat configuration service: teams, their members, and how they answer."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
