"""Web hook registrations."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
