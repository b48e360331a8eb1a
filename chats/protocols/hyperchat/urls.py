"""The addresses of HyperChat v1, below /v1. Each is taken with and without a trailing slash: its clients send both."""

from typing import Any

from django.urls import URLPattern, re_path

from .door import Door

app_name = "hyperchat"


def route(pattern: str, view: type[Door], name: str) -> URLPattern:
    """`pattern` with {id} for one segment of a path."""
    inner = pattern.replace("{id}", "(?P<row_id>[^/]{1,100})")
    found: Any = re_path(rf"^{inner}/?$", view.as_view(), name=name)
    return found


urlpatterns: list[URLPattern] = []
