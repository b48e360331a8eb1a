"""The addresses of the eServices transport, below /eservices/api/v2. Each is taken with and without a trailing slash."""

from django.urls import URLPattern, re_path

from .eservices import TransportChat, TransportChats, TransportMessages, TransportNowhere
from .urls import route

app_name = "eservices"

urlpatterns: list[URLPattern] = [
    route("chats", TransportChats.as_view(), "chats"),
    route("chats/{id}", TransportChat.as_view(), "chat"),
    route("chats/{id}/messages", TransportMessages.as_view(), "messages"),
    re_path("", TransportNowhere.as_view(), name="nowhere"),  # stays the last
]
