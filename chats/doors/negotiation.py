"""Which form an answer has, where clients do not know what they say that they accept."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class LikelyRenderer(DefaultContentNegotiation):
    """DRF's own choice, which is quick where the client takes anything, or what is the view's only form."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        first, *others = renderers
        accepted = request.META.get("HTTP_ACCEPT", "*/*")
        if accepted == "*/*" or (accepted == first.media_type and not others):
            return first, first.media_type
        return super().select_renderer(request, [first, *others], format_suffix)


class FirstRenderer(DefaultContentNegotiation):
    """The view's first renderer, whatever the client says that it accepts."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
