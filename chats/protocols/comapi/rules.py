"""Inbound rules: where a message that comes in by SMS, email or Facebook goes."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
