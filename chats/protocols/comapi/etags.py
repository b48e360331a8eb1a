"""ETag and if-match (RFC 9110, 8.8.3 and 13.1.1): optional, and strong, as the original's clients send them back."""

import base64
import hashlib
import json
from typing import Any

from rest_framework import exceptions
from rest_framework.request import Request


class Stale(exceptions.APIException):
    """The entity is no longer the one that the caller has read."""

    status_code = 412
    default_detail = "The if-match header does not match: this has changed in the meantime. Read it again."


def etag_of(shape: Any) -> str:
    """`"<length in hex>-<27 characters of base64 of SHA-1>"`, as the original's look; opaque to clients."""
    body = json.dumps(shape, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode(errors="replace")
    mark = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()[:27]
    return f'"{len(body):x}-{mark}"'


def check_match(request: Request, *shapes: Any) -> None:
    """`shapes`: of the entity as it is now, its row locked, and of others whose ETag stands for it, too; None matches nothing. Raises Stale."""
    wanted = request.headers.get("If-Match", "").strip()
    if not wanted or wanted == "*":
        return
    named = {one.strip().removeprefix("W/") for one in wanted.split(",")}
    if named.isdisjoint(etag_of(shape) for shape in shapes if shape is not None):
        raise Stale
