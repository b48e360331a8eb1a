"""The mail of a call: as it was sent where the provider hands it on whole, else put together by anymail from its parts."""

import json
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from .vendors import Vendor

MOST_HEADERS = (
    64 * 1024
)  # characters of all together that anymail may take apart: Python's new parser takes quadratic time


def mail_in(vendor: Vendor, view: Any, request: HttpRequest) -> bytes:
    """Raises whatever an odd body brings about."""
    whole = vendor.whole_mail(request)
    # A report of a machine has no sender that answers for it; the mail itself may not say so.
    mark = b"Return-Path: <>\r\n" if vendor.envelope_sender(request) in ("", "<>") else b""
    return mark + (_put_together(view, request) if whole is None else whole)


def _put_together(view: Any, request: HttpRequest) -> bytes:
    request = _again(request)
    if _size_of_headers(request) > MOST_HEADERS:
        raise ValueError("too many headers")
    message = view.parse_events(request)[0].message
    return bytes(message.as_bytes(policy=message.policy.clone(linesep="\r\n")))


def _again(request: HttpRequest) -> HttpRequest:
    """The same call, read as UTF-8: a form is read once."""
    again = WSGIRequest(request.META)
    again._body = request.body
    return again


def _size_of_headers(request: HttpRequest) -> int:
    """Mailgun's field, SendGrid's, Postmark's."""
    if request.content_type == "application/json":
        said = json.loads(request.body)
        return len(json.dumps([said.get("Headers"), said.get("ToFull"), said.get("CcFull"), said.get("Subject")]))
    return len(request.POST.get("message-headers") or "") + len(request.POST.get("headers") or "")
