"""What the ground floor asks about seats: which centers a person belongs to and which ones they administer."""

from typing import Any
from uuid import UUID

from contactcenter.administration.access import seats_asked
from contactcenter.models import User

from .models import Agent


def listen() -> None:
    """Answer the ground floor; called once, when the app is ready."""
    seats_asked.connect(_seats)


def _seats(user: User, as_admin: bool, **kwargs: Any) -> list[UUID]:
    seats = Agent.objects.filter(user=user, is_active=True, user__is_active=True)
    if as_admin:
        seats = seats.filter(role=Agent.Role.ADMIN, is_bot=False)
    return list(seats.values_list("center_id", flat=True))
