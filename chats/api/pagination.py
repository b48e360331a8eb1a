"""Pages by key: a cursor names the last row that was shown, so that nothing is skipped or doubled while rows come and go."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from rest_framework.request import Request

from chats.errors import Invalid

from .asked import PageQuery
from .door import read


def page(
    request: Request,
    rows: "QuerySet[Any]",
    order: str,
    render: Callable[[Any], dict[str, Any]],
    query: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """`{results, next}`: rows in `order` (a field that is never null, "-" for descending), then by id. Raises Invalid for a broken cursor."""
    asked = query if query is not None else read(PageQuery, request.query_params)
    field, is_descending = order.lstrip("-"), order.startswith("-")
    if asked.get("after"):
        rows = rows.filter(_beyond(rows, asked["after"], field, is_descending=is_descending))
    limit = asked["limit"]
    found = list(rows.order_by(order, "-pk" if is_descending else "pk")[: limit + 1])
    more = _next_url(request, getattr(found[limit - 1], field), found[limit - 1].pk) if len(found) > limit else None
    return {"results": [render(row) for row in found[:limit]], "next": more}


def _beyond(rows: "QuerySet[Any]", cursor: str, field: str, *, is_descending: bool) -> Q:
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=="))
        meta = rows.model._meta
        if value is None or not isinstance(pk, str):
            raise ValueError
        value, pk = meta.get_field(field).to_python(value), meta.pk.to_python(pk)
        if "\0" in str(value):
            raise ValueError
        if isinstance(value, datetime) and (is_naive(value) or not 2000 <= value.year < 9000):
            raise ValueError
        str(value).encode()
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error, ValidationError):
        raise Invalid(fields={"after": _("This cursor is not one of ours.")}) from None
    past = "lt" if is_descending else "gt"
    return Q(**{f"{field}__{past}": value}) | Q(**{field: value, f"pk__{past}": pk})


def _next_url(request: Request, value: Any, pk: Any) -> str:
    shown = value.isoformat() if hasattr(value, "isoformat") else value
    cursor = base64.urlsafe_b64encode(json.dumps([shown, str(pk)]).encode()).decode().rstrip("=")
    params = request.query_params.copy()
    params["after"] = cursor
    # Relative to the host: behind a proxy we need not know by which name we were called.
    return f"{request.path}?{params.urlencode()}"
