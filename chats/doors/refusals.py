"""Every exception as a rule's refusal with an HTTP status. Each door says it in its own words; nothing gets past it as a page or a traceback."""

from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
)
from django.db import DataError, IntegrityError
from django.http import Http404
from rest_framework import exceptions

from chats.errors import Conflict, Forbidden, Invalid, NotFound, Refused, TooLarge, TooMany, Unauthorized, Unavailable
from contactcenter.outage import is_outage

STATUSES = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "blocked": 403,
    "not_found": 404,
    "gone": 409,
    "closed": 409,
    "conflict": 409,
    "full": 409,
    "outside_hours": 409,
    "too_large": 413,
    "too_many": 429,
    "unavailable": 503,
    "failed": 500,
}


def refusal_of(error: Exception) -> tuple[Refused | None, int]:
    """What to say and with which status; nothing when it is our own fault."""
    if isinstance(error, Refused):
        return error, STATUSES[error.code]
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    known = _of_django(error)
    return known, STATUSES[known.code] if known else 500


def _of_framework(error: exceptions.APIException) -> tuple[Refused, int]:
    status = error.status_code
    match error:
        case exceptions.ValidationError():
            return Invalid(fields=_fields(error.detail)), 400
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Unauthorized(), 401
        case exceptions.PermissionDenied():
            return Forbidden(error.detail), 403
        case exceptions.NotFound():
            return NotFound(), 404
        case exceptions.Throttled():
            return TooMany(retry_after=getattr(error, "wait", None)), 429
    # 400 (broken JSON), 405, 406, 415: the status says which.
    return Invalid(error.detail), status


def _of_django(error: Exception) -> Refused | None:
    if is_outage(error):
        return Unavailable()
    match error:
        case Http404():
            return NotFound()
        case PermissionDenied():
            return Forbidden()
        case RequestDataTooBig() | TooManyFilesSent():
            return TooLarge()
        case DataError() | SuspiciousOperation() | BadRequest():
            return Invalid()
        case IntegrityError():
            # Two wanted the same thing at the same moment; the database let one of them.
            return Conflict()
    return None


def _fields(detail: Any, path: str = "") -> dict[str, str]:
    """DRF's nested lists and dicts of errors as one flat dict: {"page.url": sentence}."""
    if isinstance(detail, dict):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            found |= _fields(inner, f"{path}.{own}".strip("."))
        return found
    if isinstance(detail, list) and detail and isinstance(detail[0], dict | list):
        found = {}
        for number, inner in enumerate(detail):
            found |= _fields(inner, f"{path}.{number}".strip("."))
        return found
    sentence = detail[0] if isinstance(detail, list) and detail else detail
    return {path or "body": str(sentence)}
