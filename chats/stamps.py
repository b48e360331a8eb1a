"""Moments as clients read them."""

from datetime import UTC, datetime


def stamp(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
