"""What a browser is told about who may read an answer (Fetch standard, 3.3)."""

from collections.abc import Iterable
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

PREFLIGHT_SECONDS = "600"


def tell_browser(
    request: Any,
    response: HttpResponseBase,
    *,
    origin: str,
    methods: Iterable[str],
    headers: str,
    exposed: str = "Retry-After",
    credentials: bool = False,
) -> None:
    """Let pages of this origin, which the caller has found allowed, read the answer; `headers`: what they may send, `exposed`: what they may read beside the body."""
    patch_vary_headers(response, ["Origin"])
    if not origin:
        return
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Expose-Headers"] = exposed
    if credentials:
        response["Access-Control-Allow-Credentials"] = "true"
    if request.method == "OPTIONS":
        response["Access-Control-Allow-Methods"] = ", ".join(methods)
        response["Access-Control-Allow-Headers"] = headers
        response["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
