"""Who is there: agents, and customers with their apps."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
