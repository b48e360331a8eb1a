"""What was sent as a file."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
