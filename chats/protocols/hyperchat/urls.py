"""The addresses of HyperChat v1, below /v1. Each is taken with and without a trailing slash: its clients send both."""

from typing import Any

from django.urls import URLPattern, re_path

from . import activity, chats, history, media, members, messages, moves
from .door import Door

app_name = "hyperchat"


def route(pattern: str, view: type[Door], name: str) -> URLPattern:
    """`pattern` with {id} for one segment of a path."""
    inner = pattern.replace("{id}", "(?P<row_id>[^/]{1,100})")
    found: Any = re_path(rf"^{inner}/?$", view.as_view(), name=name)
    return found


urlpatterns: list[URLPattern] = [
    route("chats", chats.Chats, "chats"),
    route("chats/{id}", chats.OneChat, "chat"),
    route("chats/{id}/assign", moves.AssignAgent, "assign"),
    route("chats/{id}/toinbox", moves.ToInbox, "toinbox"),
    route("chats/{id}/messages", messages.Messages, "messages"),
    route("chats/{id}/history", history.History, "history"),
    route("chats/{id}/users", members.ChatUsers, "chat_users"),
    route("chats/{id}/join", members.Join, "join"),
    route("chats/{id}/leave", members.Leave, "leave"),
    route("users/{id}/activity", activity.UserActivity, "activity"),
    route("messages/{id}/read", messages.ReadMessage, "read_message"),
    route("media", media.Media, "media"),
    route("media/{id}", media.OneMedia, "one_media"),
]
