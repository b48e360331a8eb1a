"""Answers to what no view has answered: plain words, JSON for programs, no traceback."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from contactcenter.outage import is_outage

PROGRAM_PREFIXES = ("/api/", "/healthz", "/readyz", "/metrics")


def is_program(request: HttpRequest) -> bool:
    """Whether a program rather than a person reads the answer."""
    return request.path_info.startswith(PROGRAM_PREFIXES) or not request.accepts("text/html")


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: 503 while the database is away, 500 otherwise. Django calls it while it handles the exception."""
    if is_outage(sys.exc_info()[1]):
        status, code = 503, "unavailable"
        sentence = _("The service is not available at the moment. Nothing was stored; try again shortly.")
    else:
        status, code = 500, "failed"
        sentence = _("Something went wrong here. Try again.")
    response: HttpResponse
    if is_program(request):
        response = JsonResponse({"code": code, "message": sentence}, status=status)
    else:
        # Without the request: context processors ask the database, which may be what failed.
        response = render(None, "500.html", {"message": sentence}, status=status)  # type: ignore[arg-type]
    if status == 503:
        response["Retry-After"] = "2"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if is_program(request):
        return JsonResponse({"code": "not_found", "message": _("There is nothing here.")}, status=404)
    return render(request, "404.html", status=404)
