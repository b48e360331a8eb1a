"""Profiles: customers and agents as apps and programs see them."""

from datetime import datetime

from chats.actions import profiles
from chats.models import ForeignCustomer

from .callers import Caller


def ensure_profile(caller: Caller, profile_id: str, now: datetime) -> ForeignCustomer:
    """The customer's profile of this id, made when it is unknown. Raises Invalid for what can be no id (an agent's, say)."""
    return profiles.ensure_profile(
        caller.registration, profile_id, actor=caller.actor, now=now, adopts=caller.is_program
    )


ROUTES: list[tuple[str, type, str]] = []
