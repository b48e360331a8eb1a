"""What an application's clients may know of how it is set up, and what its own server may change."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.registrations import change_registration
from chats.errors import Forbidden
from chats.files.kinds import KINDS

from . import asked_apps as asked
from .callers import PUBLIC, SERVER, Caller
from .door import Door
from .webhooks import own_webhooks, webhook_shape


class Settings(Door):
    access = {"GET": PUBLIC, "PUT": SERVER}

    def get(self, request: Request) -> Response:
        caller = self.caller
        return Response({"settings": full_shape(caller) if caller.is_server else public_shape(caller)})

    def put(self, request: Request) -> Response:
        """queue.active, and where the application may configure, allowedDomains; also within `settings`. The rest belongs to the center's admin."""
        body = self.body()
        inner = body.get("settings")
        fields = self.read(asked.ChangeSettings, inner if isinstance(inner, dict) else body)
        program = self.caller.registration.application
        if "allowed_origins" in fields and not program.may_configure:
            raise Forbidden("This application may not change its domains")
        if fields:
            registration = change_registration(self.caller.registration, fields, by=program)
            return Response({"settings": full_shape(Caller(registration, self.caller.proof))})
        return Response({"settings": full_shape(self.caller)})


def public_shape(caller: Caller) -> dict[str, Any]:
    """What everybody may know. No languages = all."""
    languages = [code for team in caller.rooms.values() for code in team.languages]
    return {"queue": {"active": caller.registration.uses_queue}, "languages": list(dict.fromkeys(languages))}


def full_shape(caller: Caller) -> dict[str, Any]:
    types = [kind.content_type for kind in KINDS]
    return public_shape(caller) | {
        "rooms": [{"id": room, "name": team.name} for room, team in caller.rooms.items()],
        "fileTypes": {"users": types, "agents": types},
        "agentsCanEndSession": True,
        "allowedDomains": caller.registration.application.allowed_origins,
        "webhooks": [webhook_shape(webhook) for webhook in own_webhooks(caller)],
    }
