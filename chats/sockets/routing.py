"""Which path is which socket's."""

from typing import Any

from django.urls import path, re_path

from .agent import AgentSocket
from .customer import CustomerSocket


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """No socket lives here: refused before the handshake."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


# Django's types know views only.
applications: list[tuple[str, Any]] = [
    ("ws/v1/customer", CustomerSocket.as_asgi()),
    ("ws/v1/agent", AgentSocket.as_asgi()),
]
anything: Any = nothing
websocket_urlpatterns = [*(path(route, application) for route, application in applications), re_path("", anything)]
