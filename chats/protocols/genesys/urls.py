"""The addresses of Genesys' customer chat, below /api/v2. Each is taken with and without a trailing slash."""

from typing import Any

from django.urls import URLPattern, re_path

from .customer import Chats, Messages, OneChat
from .door import Door

app_name = "genesys"


def route(pattern: str, view: type[Door], name: str) -> URLPattern:
    """`pattern` with {id} for one segment of a path."""
    inner = pattern.replace("{id}", "(?P<chat_id>[^/]{1,200})")
    found: Any = re_path(rf"^{inner}/?$", view.as_view(), name=name)
    return found


urlpatterns: list[URLPattern] = [
    route("chats", Chats, "chats"),
    route("chats/{id}", OneChat, "chat"),
    route("chats/{id}/messages", Messages, "messages"),
    # Named by one page of the documentation alone.
    route("me/chat/{id}", OneChat, "me-chat"),
    route("me/chat/{id}/messages", Messages, "me-messages"),
]
