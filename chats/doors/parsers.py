"""Reading bodies: JSON within limits, and nothing in it that no database or client can keep."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MOST_DEPTH = 20
MOST_NUMBER = 2**63  # what both engines keep as a whole number


class StrictJSONParser(BaseParser):
    """UTF-8 JSON (RFC 8259): no NaN, no NUL, no lone surrogates, no number without end, at most 20 levels."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return read_json(stream.read())


def read_json(content: bytes) -> Any:
    """Raises ParseError."""
    try:
        found = json.loads(content.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):  # broken, not UTF-8, or nested beyond measure
        raise ParseError(_("The body is not valid JSON.")) from None
    check_value(found)
    return found


def check_value(value: Any, depth: int = 0) -> None:
    """Raises ParseError for a value that cannot be stored and shown again as it is."""
    if depth > MOST_DEPTH:
        raise ParseError(_("The body is nested too deeply."))
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            check_value(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check_value(inner, depth + 1)
    # The comparison first: a whole number without end is none that a float can hold.
    elif isinstance(value, float | int) and not (abs(value) < MOST_NUMBER and math.isfinite(value)):
        raise ParseError(_("A number in the body is too large."))


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "\0"
    if "\0" in text:
        raise ParseError(_("The body holds a character that cannot be stored."))


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
