"""Small typed validators for frames. A check takes the value and returns it, or raises Wrong with a sentence."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid

DEEPEST = 8  # levels of a nested value
MOST_NUMBER = 2**63  # what both engines keep as a whole number


class Wrong(Exception):
    """What is wrong with one field."""


@dataclass(frozen=True)
class Field:
    check: Callable[[Any], Any]
    is_required: bool = True
    default: Any = None


def required(check: Callable[[Any], Any]) -> Field:
    return Field(check)


def optional(check: Callable[[Any], Any], default: Any = None) -> Field:
    """May be absent or null; then it has the default."""
    return Field(check, is_required=False, default=default)


def read_fields(fields: Mapping[str, Field], frame: Mapping[str, Any]) -> dict[str, Any]:
    """The frame's known fields, checked. Unknown ones are left out. Raises Invalid and names each wrong field."""
    read: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for name, field in fields.items():
        value = frame.get(name)
        if value is None:
            if field.is_required:
                wrong[name] = _("This is missing.")
            read[name] = field.default
            continue
        try:
            read[name] = field.check(value)
        except Wrong as error:
            wrong[name] = error.args[0]
    if wrong:
        raise Invalid(fields=wrong)
    return read


def read_json(text: str) -> dict[str, Any]:
    """One JSON object. Raises Invalid for anything else, also for what is nested too deeply or holds no real number."""
    try:
        frame = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Invalid(_("This is no JSON.")) from None
    if not isinstance(frame, dict):
        raise Invalid(_("A frame is a JSON object."))
    return frame


def _no_constant(name: str) -> None:
    raise ValueError(name)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(_("Say true or false."))
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number between the two."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(_("Say a whole number from %(low)s to %(high)s.") % {"low": low, "high": high})
        return value

    return check


cursor = whole(0, 2**31 - 1)


def text(longest: int, shortest: int = 0) -> Callable[[Any], str]:
    """A text of so many characters, without what no database can keep (NUL, lone surrogates)."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong(_("This must be a text."))
        if not shortest <= len(value) <= longest:
            raise Wrong(_("This must have %(low)s to %(high)s characters.") % {"low": shortest, "high": longest})
        if not _is_storable(value):
            raise Wrong(_("This holds a character that cannot be stored."))
        return value

    return check


client_id = text(64, 1)


def uuid(value: Any) -> UUID:
    if not isinstance(value, str) or len(value) != 36:
        raise Wrong(_("This is no id."))
    try:
        return UUID(value)
    except ValueError:
        raise Wrong(_("This is no id.")) from None


def one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise Wrong(_("Say one of %(words)s.") % {"words": ", ".join(words)})
        return str(value)

    return check


def list_of(check: Callable[[Any], Any], most: int) -> Callable[[Any], tuple[Any, ...]]:
    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise Wrong(_("This must be a list of at most %(most)s.") % {"most": most})
        return tuple(check(item) for item in value)

    return check_all


def map_of(
    check_key: Callable[[Any], Any], check_value: Callable[[Any], Any], most: int
) -> Callable[[Any], dict[Any, Any]]:
    def check(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict) or len(value) > most:
            raise Wrong(_("This must be an object with at most %(most)s keys.") % {"most": most})
        return {check_key(name): check_value(item) for name, item in value.items()}

    return check


def plain(most: int) -> Callable[[Any], dict[str, Any]]:
    """An object of plain values, as JSON at most so many bytes."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Wrong(_("This must be an object."))
        _check_plain(value, DEEPEST)
        if len(json.dumps(value).encode()) > most:
            raise Wrong(_("This is too large."))
        return value

    return check


def _check_plain(value: Any, levels: int) -> None:
    if levels == 0:
        raise Wrong(_("This is nested too deeply."))
    if isinstance(value, dict):
        for name, item in value.items():
            _check_plain(name, levels)
            _check_plain(item, levels - 1)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, levels - 1)
    elif isinstance(value, str):
        if not _is_storable(value):
            raise Wrong(_("This holds a character that cannot be stored."))
    elif isinstance(value, float | int) and not (abs(value) < MOST_NUMBER and math.isfinite(value)):
        raise Wrong(_("This number cannot be stored."))


def _is_storable(value: str) -> bool:
    if "\x00" in value:
        return False
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)
