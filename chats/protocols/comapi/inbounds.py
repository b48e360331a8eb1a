"""Messages that another program has received for us."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
