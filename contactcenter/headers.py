"""Headers that every answer carries: the content security policy, and no caching unless a view asked for it."""

from functools import cached_property
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from contactcenter.programs import is_program

PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


# How django-csp keeps what a view has said of its own policy.
OF_VIEWS = {"_csp_exempt", "_csp_config", "_csp_update", "_csp_replace"}


class Headers(CSPMiddleware):
    """The strict policy everywhere, the admin's wider one below its paths; a view's own policy wins."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # A proxy that kept one person's page would show it to the next.
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        if "Permissions-Policy" not in response:
            response["Permissions-Policy"] = PERMISSIONS
        if is_program(request) and OF_VIEWS.isdisjoint(vars(response)) and not hasattr(request, "_csp_nonce"):
            response.headers.setdefault(HEADER, self.policy)
            return response
        return super().process_response(request, response)

    @cached_property
    def policy(self) -> str:
        """Of an answer that holds no page."""
        return build_policy()

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> Any:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.replace is None and request.path_info.startswith(settings.CSP_ADMIN_PREFIXES):
            parts.replace = settings.CSP_ADMIN_DIRECTIVES
        return parts
