"""Pictures that everybody may see: agents' and centers'. Their addresses name rows, never files."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiTypes
from rest_framework.request import Request

from agents.models import Agent
from chats.doors.negotiation import FirstRenderer
from chats.errors import NotFound
from chats.files.serve import INERT
from contactcenter.models import ContactCenter

from .door import Anyone, Door
from .schema import described

# By the first bytes; what an admin's form has let in and is none of these is not given out.
KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}


class Picture(Door):
    """Addresses change with the picture (chats.shapes.avatar_url), so a browser may keep it for a day."""

    callers = {"GET": (Anyone,)}
    authentication_classes = ()
    content_negotiation_class = FirstRenderer

    def picture(self, row_id: UUID) -> Any:
        raise NotImplementedError

    @described("A picture", gives={(200, kind): OpenApiTypes.BINARY for kind in KINDS.values()})
    def get(self, request: Request, row_id: UUID) -> HttpResponseBase:
        field = self.picture(row_id)
        if not field:
            raise NotFound
        try:
            stored = field.open("rb")
        except FileNotFoundError:
            raise NotFound from None
        head = stored.read(16)
        stored.seek(0)
        kind = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), None)
        if kind is None:
            stored.close()
            raise NotFound
        response = FileResponse(stored, content_type=kind, filename="picture")
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = INERT
        response["Cache-Control"] = "public, max-age=86400"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"  # the launcher stands on other sites
        return response


class Avatar(Picture):
    """Below /avatars/, outside of the API: sockets and REST both name it."""

    schema = None  # type: ignore[assignment]

    def picture(self, row_id: UUID) -> Any:
        agent = Agent.objects.active().filter(pk=row_id).first()
        return agent.avatar if agent else None


class Logo(Picture):
    def picture(self, row_id: UUID) -> Any:
        center = ContactCenter.objects.filter(pk=row_id, is_active=True).first()
        return center.logo if center else None
