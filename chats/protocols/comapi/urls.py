"""The addresses below /apispaces/{apiSpaceId} and /cpaas: the same views, with and without a slash at the end."""

from typing import Any

from django.urls import URLPattern, re_path

from . import (
    analytics,
    chats,
    config,
    content,
    conversation_messages,
    conversations,
    files,
    forms,
    inbounds,
    messages,
    presence,
    profiles,
    rules,
    sessions,
    webhooks,
)
from .door import Door, Nowhere
from .openapi import OpenApi

app_name = "comapi"

SERVICES = (
    chats,
    messages,
    forms,
    config,
    presence,
    webhooks,
    rules,
    inbounds,
    analytics,
    sessions,
    profiles,
    conversations,
    conversation_messages,
    files,
    content,
)


def routes(pattern: str, view: type[Door], name: str) -> list[URLPattern]:
    """`pattern` with {name} for one segment of a path, in both dialects."""
    inner = pattern.replace("{", "(?P<").replace("}", ">[^/]{1,300})")
    spaced: Any = re_path(rf"^apispaces/(?P<space_id>[^/]{{1,200}})/{inner}/?\Z", view.as_view(), name=name)
    plain: Any = re_path(rf"^cpaas/{inner}/?\Z", view.as_view(), name=f"cpaas-{name}")
    return [spaced, plain]


described: list[URLPattern] = [routes(*row)[1] for service in SERVICES for row in service.ROUTES]

urlpatterns: list[URLPattern] = [
    re_path(r"^cpaas/openapi\.json\Z", OpenApi.as_view(), name="openapi"),
    *(found for service in SERVICES for row in service.ROUTES for found in routes(*row)),
    re_path(r"^apispaces/(?P<space_id>[^/]{1,200})(?:/|\Z)", Nowhere.as_view(), name="nowhere"),
    re_path(r"^cpaas(?:/|\Z)", Nowhere.as_view(), name="cpaas-nowhere"),  # stay the last
]
