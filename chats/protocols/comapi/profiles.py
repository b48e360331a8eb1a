"""Profiles: what is known of a customer."""

from .door import Door

ROUTES: list[tuple[str, type[Door], str]] = []
