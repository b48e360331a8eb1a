"""The addresses of Genesys' customer chat, below /api/v2. Each is taken with and without a trailing slash."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from .agents import Me, MyChat, MyChats, MyMessages
from .callers import has_credentials
from .customer import Chats, Messages, OneChat
from .door import Door, Nowhere, NowhereSecure

app_name = "genesys"

View = Callable[..., HttpResponseBase]
READS = ("GET", "HEAD", "OPTIONS")


def route(pattern: str, view: View, name: str) -> URLPattern:
    """`pattern` with {id} for one segment of a path."""
    inner = pattern.replace("{id}", "(?P<chat_id>[^/]{1,200})")
    found: URLPattern = re_path(rf"^{inner}/?\Z", view, name=name)
    return found


def by_proof(customer: type[Door], agent: type[Door]) -> View:
    """One address for two: a read without credentials is the customer's, everything else the agent's."""
    anonymous, proven = customer.as_view(), agent.as_view()

    @csrf_exempt
    def view(request: HttpRequest, **named: Any) -> HttpResponseBase:
        is_customer = request.method in READS and not has_credentials(request)
        return (anonymous if is_customer else proven)(request, **named)

    return view


urlpatterns: list[URLPattern] = [
    route("chats", Chats.as_view(), "chats"),
    route("chats/{id}", OneChat.as_view(), "chat"),
    route("chats/{id}/messages", Messages.as_view(), "messages"),
    route("me", Me.as_view(), "me"),
    route("me/chats", MyChats.as_view(), "me-chats"),
    route("me/chats/{id}", by_proof(OneChat, MyChat), "me-chat"),
    route("me/chats/{id}/messages", by_proof(Messages, MyMessages), "me-messages"),
    # Named by one page of the documentation alone (General).
    route("me/chat/{id}", by_proof(OneChat, NowhereSecure), "customers-chat"),
    route("me/chat/{id}/messages", by_proof(Messages, NowhereSecure), "customers-messages"),
    re_path(r"^me(/|\Z)", NowhereSecure.as_view(), name="nowhere-secure"),
    re_path("", Nowhere.as_view(), name="nowhere"),  # stays the last
]
