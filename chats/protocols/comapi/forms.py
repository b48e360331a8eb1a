"""Forms that are sent to a customer."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
