"""Every way of saying no as `{code, message, fields?}` with a status. The outermost door of REST: nothing gets past it as a page or a traceback."""

from typing import Any

import structlog
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from chats.doors.refusals import refusal_of

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2  # after which a client may try again while we are away


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER."""
    refused, status = refusal_of(error)
    if refused is None:
        view = type(context.get("view")).__name__
        log.error("request failed", view=view, error=type(error).__name__, exc_info=error)
        return Response({"code": "failed", "message": _("Something went wrong here. Try again.")}, status=500)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if isinstance(error, exceptions.MethodNotAllowed):
        view = context["view"]
        headers["Allow"] = ", ".join(view.allowed_methods)
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, round(refused.retry_after or RETRY_SECONDS)))
    return Response(refused.as_dict(), status=status, headers=headers)
