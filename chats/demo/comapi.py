"""An application of the demo that speaks the Chat API: an API space with App Messaging for its first team."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from contactcenter.models import (
    ApiSpace,
    Application,
    Channel,
    ContactCenter,
    Registration,
    RegistrationTeam,
    Team,
    hash_secret,
)

from .application import build_registration

NAME = "App"
TEAMS = {"support": "Customer_Services", "orders": "Sales"}  # team → as its clients send it
WELCOME = {"timeout": 20, "text": "Thank you for your message. Somebody will be with you in a moment."}


def build_comapi(
    center: ContactCenter, origins: Iterable[str], known: dict[str, str], now: datetime
) -> dict[str, dict[str, str]]:
    """Make it where it is missing: {"comapi": {api_space_id, access_token, username, password, shared_secret, team_id}}.

    origins: of pages that may call; known: secrets that can still be told.
    """
    registration = build_registration(
        center, NAME, Registration.Protocol.COMAPI, origins, lambda application: _register(center, application, now)
    )
    space = ApiSpace.of(registration)
    # What an administrator has replaced since cannot be told any more.
    if not _is(known.get("comapi"), registration.secret_hash):
        known["comapi"] = registration.renew_secret()
    if not _is(known.get("comapi_password"), space.password_hash):
        known["comapi_password"] = space.renew_password()
    first = registration.rooms.order_by("-team__is_default", "foreign_id").first()
    return {
        "comapi": {
            "api_space_id": registration.foreign_id,
            "access_token": known["comapi"],
            "username": space.user_name,
            "password": known["comapi_password"],
            "shared_secret": space.shared_secret,
            "team_id": first.foreign_id if first else "",
        }
    }


def _is(secret: str | None, kept: str) -> bool:
    return secret is not None and hash_secret(secret) == kept


def _facts(now: datetime) -> dict[str, Any]:
    """As chats/actions/space_teams.py keeps them."""
    who = {"createdOn": now.isoformat(), "createdBy": "demo", "updatedOn": now.isoformat(), "updatedBy": "demo"}
    return {"appMessaging": {"replyAs": "team", "welcomeMessage": WELCOME}, **who}


def _register(center: ContactCenter, application: Application, now: datetime) -> Registration:
    """The team that comes first answers in the app, too."""
    team: Team = center.teams.order_by("-is_default", "name")[0]
    channel = Channel.objects.create(center=center, kind=Channel.Kind.APP, name=NAME, team=team)
    made = Registration.objects.create(
        center=center,
        application=application,
        channel=channel,
        protocol=Registration.Protocol.COMAPI,
        foreign_id=str(uuid4()),
    )
    for row in center.teams.filter(key__in=TEAMS):
        facts = _facts(now) if row == team else {}
        RegistrationTeam.objects.create(
            center=center, registration=made, team=row, foreign_id=TEAMS[row.key], facts=facts
        )
    return made
