"""The server's entry: websockets to the sockets, HTTP to the edge, start and stop to whoever needs them."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")

from channels.routing import URLRouter
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import re_path

# Django's applications must be loaded before anything below imports a model.
wsgi_application = get_wsgi_application()

import contactcenter.celery  # noqa: F401 - so that tasks named in this process find their broker
from chats.api.fast_path import ROUTES as api_calls
from chats.api.fast_starts import ROUTES as api_starts
from chats.doors.fast_path import FastPath
from chats.live import hub
from chats.protocols.comapi.door import speak as comapi_speak
from chats.protocols.comapi.live import watch as comapi_apps
from chats.protocols.comapi.live.socket import AppSocket
from chats.protocols.expertflow.door import speak
from chats.protocols.expertflow.live.service import live as expertflow
from chats.protocols.genesys.door import Door, voice_of
from chats.protocols.genesys.eservices import TransportDoor
from chats.protocols.genesys.fast_path import ROUTES as genesys_calls
from chats.protocols.hyperchat.door import envelope
from chats.protocols.hyperchat.fast_path import ROUTES as hyperchat_calls
from chats.protocols.hyperchat.live.service import live as hyperchat
from chats.sockets import service
from chats.sockets.routing import websocket_urlpatterns
from contactcenter.edge import Edge, Limits, Receive, Scope, Send

edge = Edge(
    wsgi_application,
    wait=hub.wait,
    hosts=["*"] if settings.DEBUG else settings.ALLOWED_HOSTS,
    limits=Limits(threads=settings.HTTP_THREADS),
    fast_path=FastPath(wsgi_application.get_response, *api_calls, *api_starts, *genesys_calls, *hyperchat_calls),
    asides={"/socket.io": expertflow.gate, "/v1/socket.io": hyperchat.gate},
    voices={
        "/v1/": lambda status, _code, sentence: envelope(status, sentence).data,
        "/api/v2/": voice_of(Door),
        "/eservices/": voice_of(TransportDoor),
        **dict.fromkeys(("/apispaces/", "/cpaas/"), comapi_speak),
        **dict.fromkeys(("/api/customer/", "/api/getMessagesByRefId", "/legacy/api/", "/socket.io"), speak),
    },
)
# Django's types know views only.
expertflow_gate: Any = expertflow.gate
hyperchat_gate: Any = hyperchat.gate
comapi_socket: Any = AppSocket.as_asgi()
websocket_gates = [
    re_path(r"^socket\.io/?$", expertflow_gate),
    re_path("^v1/socket.io/?$", hyperchat_gate),
    re_path(r"^apispaces/(?P<space_id>[^/]{1,200})/socket/?$", comapi_socket),
]
websockets: Any = URLRouter([*websocket_gates, *websocket_urlpatterns])


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI 3."""
    if scope["type"] == "http":
        await edge(scope, receive, send)
    elif scope["type"] == "websocket":
        scope["headers"] = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        await websockets(scope, receive, send)
    else:
        await lifespan(receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Start what runs beside requests, then wait for the stop."""
    await receive()
    try:
        async with service.running(), hyperchat.running(), expertflow.running(), comapi_apps.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
            edge.stop()
    except Exception as error:  # the outermost door: the server must hear of it
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        raise
    await send({"type": "lifespan.shutdown.complete"})
