"""What a new chat is asked for with: who the customer is, which team is meant, what else the page knows."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chats.actions.begin import OWN_FIELDS
from chats.doors.teams import find_team
from chats.errors import Invalid
from chats.sockets import fields
from contactcenter.models import Registration

from .door import Missing
from .lines import known_as

NICKNAME, SUBJECT, ENDPOINT, TYPED = fields.text(100), fields.text(200), fields.text(1000), fields.text(10_000)
USER_DATA = fields.plain(16_384)  # bytes
# What pages name in userData, and which of the customer's own fields it fills. Everything stays in the chat's data, too.
FIRST_NAMES = ("FirstName", "firstName")
LAST_NAMES = ("LastName", "lastName")
EMAILS = ("EmailAddress", "emailAddress", "email")
PHONES = ("PhoneNumber", "phoneNumber", "phone")


def read_request(body: dict[str, Any], registration: Registration) -> dict[str, Any]:
    """What begin_request takes, out of RequestChat's parameters. Raises Missing for nickname and subject, Invalid for what cannot be kept."""
    nickname = required(body, "nickname", NICKNAME)
    subject = required(body, "subject", SUBJECT)
    user_data = checked(body, "userData", USER_DATA, default={})
    return {
        "fields": {"name": nickname} | own_fields(user_data),
        "team": find_team(registration, checked(body, "endpoint", ENDPOINT)),
        "subject": subject,
        "data": user_data,
        "facts": known_as(nickname),
    }


def own_fields(user_data: dict[str, Any]) -> dict[str, str]:
    """The customer's name, address and number where userData has them; what is none of these stays the chat's data alone."""
    name = " ".join(part for part in (_first(user_data, FIRST_NAMES), _first(user_data, LAST_NAMES)) if part)
    found = {"name": name, "email": _first(user_data, EMAILS), "phone": _first(user_data, PHONES)}
    return {field: value for field, value in found.items() if value and _fits(field, value)}


def required(body: dict[str, Any], name: str, check: Callable[[Any], str]) -> str:
    """A text that must be there, trimmed. Raises Missing, Invalid."""
    value: str = checked(body, name, check).strip()
    if not value:
        raise Missing(f"{name} is required.")
    return value


def checked(body: dict[str, Any], name: str, check: Callable[[Any], Any], default: Any = "") -> Any:
    """A parameter within its limits; `default` for none and null. Raises Invalid."""
    if body.get(name) is None:
        return default
    try:
        return check(body[name])
    except fields.Wrong as wrong:
        raise Invalid(fields={name: wrong.args[0]}) from None


def _first(values: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((value.strip() for name in names if isinstance(value := values.get(name), str) and value.strip()), "")


def _fits(field: str, value: str) -> bool:
    """Whether our row can hold it."""
    if field == "email":
        try:
            validate_email(value)
        except ValidationError:
            return False
    return len(value) <= OWN_FIELDS[field]
