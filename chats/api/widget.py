"""What the widget asks before there is a chat: how to look, who is there, a session, a message for later."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.offline import Left, leave_offline_message
from chats.actions.sessions import Identity, end_session, open_session
from chats.actions.start import default_team
from chats.doors import origins
from chats.doors.throttles import count_anonymous
from chats.errors import Forbidden, NotFound
from chats.files.kinds import KINDS
from chats.models import Chat
from chats.shapes import chat_for_customer, customer_shape, for_customer, stamp
from contactcenter.colour import text_on
from contactcenter.hours import is_open, opens_at
from contactcenter.models import Channel, FormField, Installation, Team, WidgetSettings

from . import asked, shown
from .door import Anyone, Door, read
from .principals import CustomerCaller, PublicCaller, find_public_key
from .schema import described
from .scope import find_team

CUSTOMER_KINDS = (Channel.Kind.WEB, Channel.Kind.APP)
LANGUAGES = Path(__file__).parent.parent / "static" / "widget" / "languages"


class Config(Door):
    """The key stands in the URL: it is public, and a browser may then ask without a preflight."""

    callers = {"GET": (Anyone, PublicCaller)}
    open_to_pages = True
    channel: Channel | None = None

    @described("How the widget looks and who is there", query=asked.ConfigQuery, gives=shown.WidgetConfig)
    def get(self, request: Request) -> Response:
        key = read(asked.ConfigQuery, request.query_params).get("key") or request.headers.get("X-Public-Key", "")
        self.channel = channel = find_channel(key)
        count_anonymous(request, str(channel.pk))
        origins.check_origin(request, channel.allowed_origins)
        return Response(config_of(channel, self.now))

    def allowed_origins(self, request: Request) -> list[str] | None:
        return list(self.channel.allowed_origins) if self.channel else super().allowed_origins(request)


class Sessions(Door):
    callers = {"POST": (Anyone,), "DELETE": (CustomerCaller,)}
    open_to_pages = True
    channel: Channel | None = None

    def get_authenticators(self) -> list[Any]:
        # An old token in a header must not keep anybody from getting a new one.
        is_open = self.request is not None and self.request.method == "POST"
        return [] if is_open else super().get_authenticators()

    @described("Begin or take up a customer's session", asks=asked.OpenSession, gives=shown.Session)
    def post(self, request: Request) -> Response:
        body = read(asked.OpenSession, request.data)
        self.channel = channel = find_channel(body["key"])
        count_anonymous(request, str(channel.pk))
        origins.check_origin(request, channel.allowed_origins)
        identity = _identity(body["identity"]) if "identity" in body else None
        opened = open_session(
            channel,
            token=body.get("token", ""),
            identity=identity,
            language=body.get("language", ""),
            page=body.get("page", {}),
            now=self.now,
        )
        chat = for_customer(Chat.objects.open().filter(customer_id=opened.customer.pk)).first()
        return Response(
            {
                "token": opened.token,
                "customer": customer_shape(opened.customer),
                "chat": chat_for_customer(chat) if chat else None,
                "epoch": str(Installation.current().epoch),
            }
        )

    @described("Forget this session")
    def delete(self, request: Request) -> Response:
        end_session(self.caller.session)
        return Response(status=204)

    def allowed_origins(self, request: Request) -> list[str] | None:
        return list(self.channel.allowed_origins) if self.channel else super().allowed_origins(request)


class OfflineMessages(Door):
    callers = {"POST": (CustomerCaller,)}
    open_to_pages = True

    @described(
        "Leave a message while nobody is there",
        asks=asked.OfflineMessage,
        gives={200: shown.OfflineLeft, 201: shown.OfflineLeft},
    )
    def post(self, request: Request) -> Response:
        caller = self.caller
        channel = caller.session.channel
        body = read(asked.OfflineMessage, request.data)
        count_anonymous(request, str(channel.pk))
        widget = WidgetSettings.objects.filter(channel=channel).first()
        if widget is not None and not widget.offline_form:
            raise Forbidden(_("Messages cannot be left here."))
        named = body.get("team")
        team = find_team(Team.objects.filter(center_id=channel.center_id), named) if named else None
        left = Left(
            **{name: body[name] for name in ("client_id", "text", "name", "email", "phone") if name in body},
            page_url=body.get("page", {}).get("url", ""),
            team=team,
        )
        message, is_replayed = leave_offline_message(channel, caller.customer, left, now=self.now)
        return Response({"id": str(message.pk), "replayed": is_replayed}, status=200 if is_replayed else 201)


def find_channel(key: str) -> Channel:
    """The channel that customers come in by under this public key. Raises NotFound."""
    found = find_public_key(key) if key else None
    if not isinstance(found, Channel) or found.kind not in CUSTOMER_KINDS:
        raise NotFound(_("This key is not known."))
    return found


def config_of(channel: Channel, now: Any) -> dict[str, Any]:
    """docs/api.md: GET widget/config."""
    widget = WidgetSettings.objects.filter(channel=channel).first() or WidgetSettings(channel=channel)
    center = channel.center
    accent = widget.accent or center.accent
    offered = _teams(channel, asks=widget.ask_team)
    teams = offered or [team for team in [default_team(channel)] if team is not None]
    openings = [is_open(team, now) for team in teams]
    later = [at for team in teams if (at := opens_at(team, now))]
    # As an agent's picture: the address changes with the file, which browsers keep for a day.
    version = str(center.logo.name).rpartition("/")[2]
    logo = f"{reverse('api:logo', args=[center.pk])}?{version}" if version else None
    return {
        "center": {"id": str(center.pk), "name": center.name},
        "channel": str(channel.pk),
        "look": {
            "title": widget.title or center.name,
            "accent": accent,
            "on_accent": text_on(accent),
            "side": str(widget.side),
            "greeting": widget.greeting,
            "logo_url": logo,
            "launcher_label": _("Chat with us"),
        },
        "languages": widget.languages or spoken(),
        "is_open": any(openings),
        "opens_at": None if any(openings) else stamp(min(later, default=None)),
        "teams": [
            {"id": str(one.pk), "key": one.key, "name": one.name, "is_open": is_there}
            for one, is_there in zip(offered, openings, strict=False)
        ],
        "form": [_question(field) for field in channel.form_fields.all()],
        "offline_form": widget.offline_form,
        "survey": widget.survey,
        "uploads": _uploads(widget),
    }


@cache
def spoken() -> list[str]:
    """The languages that the widget has words in."""
    return sorted(path.stem for path in LANGUAGES.glob("*.json")) or ["en"]


def _teams(channel: Channel, *, asks: bool) -> list[Team]:
    if not asks or channel.team_id:
        return []
    teams = channel.center.teams.filter(is_active=True).select_related("center")
    return list(teams.prefetch_related(Prefetch("opening_hours")).order_by("-is_default", "name"))


def _question(field: FormField) -> dict[str, Any]:
    return {
        "key": field.key,
        "label": field.label,
        "kind": str(field.kind),
        "required": field.is_required,
        "options": [str(option) for option in field.options],
    }


def _uploads(widget: WidgetSettings) -> dict[str, Any]:
    """What a file picker should offer; nothing at all where customers may send no files."""
    if not widget.uploads:
        return {"max_bytes": 0, "types": []}
    types = [kind.content_type for kind in KINDS] + [f".{name}" for kind in KINDS for name in kind.extensions]
    return {"max_bytes": settings.ATTACHMENT_MAX_BYTES, "types": types}


def _identity(body: dict[str, Any]) -> Identity:
    fields = {name: body.get(name, "") for name in ("name", "email", "phone")}
    return Identity(id=body["id"], expires=body["expires"], signature=body["signature"], fields=fields)
