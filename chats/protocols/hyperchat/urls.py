"""The addresses of HyperChat v1, below /v1. Each is taken with and without a trailing slash: its clients send both."""

from typing import Any

from django.urls import URLPattern, re_path

from . import (
    activity,
    agents,
    apps,
    available,
    chats,
    history,
    ids,
    invitations,
    media,
    members,
    messages,
    moves,
    queues,
    settings,
    sign_in,
    surveys,
    users,
    webhooks,
)
from .door import Door, Nowhere

app_name = "hyperchat"


def route(pattern: str, view: type[Door], name: str) -> URLPattern:
    """`pattern` with {id} for one segment of a path."""
    inner = pattern.replace("{id}", "(?P<row_id>[^/]{1,100})")
    found: Any = re_path(rf"^{inner}/?$", view.as_view(), name=name)
    return found


urlpatterns: list[URLPattern] = [
    # Each address is tried in this order: the busiest comes first.
    route("chats/{id}/messages", messages.Messages, "messages"),
    route("agents/available", available.Available, "available"),
    route("agents/online", available.Online, "online"),
    route("agents/login", sign_in.Login, "login"),
    route("agents/logout", sign_in.Logout, "logout"),
    route("agents", agents.Agents, "agents"),
    route("agents/{id}", agents.OneAgent, "agent"),
    route("users", users.Users, "users"),
    route("users/{id}", users.OneUser, "user"),
    route("invitations", invitations.Invitations, "invitations"),
    route("invitations/accept", invitations.Accept, "accept"),
    route("invitations/reject", invitations.Reject, "reject"),
    route("queues/status", queues.QueueStatus, "queue_status"),
    route("queues/update/{id}", queues.QueueUpdate, "queue_update"),
    route("settings", settings.Settings, "settings"),
    route("apps", apps.Apps, "apps"),
    route("apps/{id}", apps.OneApp, "app"),
    route("apps/{id}/validate", apps.Validate, "validate"),
    route("webhooks", webhooks.Webhooks, "webhooks"),
    route("webhooks/{id}", webhooks.OneWebhook, "webhook"),
    route("surveys/{id}", surveys.Survey, "survey"),
    route("id", ids.NewId, "id"),
    route("chats", chats.Chats, "chats"),
    route("chats/{id}", chats.OneChat, "chat"),
    route("chats/{id}/assign", moves.AssignAgent, "assign"),
    route("chats/{id}/toinbox", moves.ToInbox, "toinbox"),
    route("chats/{id}/history", history.History, "history"),
    route("chats/{id}/users", members.ChatUsers, "chat_users"),
    route("chats/{id}/join", members.Join, "join"),
    route("chats/{id}/leave", members.Leave, "leave"),
    route("users/{id}/activity", activity.UserActivity, "activity"),
    route("messages/{id}/read", messages.ReadMessage, "read_message"),
    route("media", media.Media, "media"),
    route("media/{id}", media.OneMedia, "one_media"),
    re_path("", Nowhere.as_view(), name="nowhere"),  # stays the last
]
