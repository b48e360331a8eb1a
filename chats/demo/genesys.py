"""An application of the demo that speaks Genesys' customer chat, with the apikey that the public emulator's clients send."""

from collections.abc import Iterable
from uuid import uuid4

from contactcenter.models import Application, Channel, ContactCenter, Registration, RegistrationTeam, Team

from .application import build_registration

API_KEY = "N18TFGbKpn0zaGLXDFZhPWpTcB2eyx44"  # published; it opens what the widget's key opens, and nothing else
NAME = "Mobile app"
ENDPOINT = "ChatQueue"


def build_genesys(center: ContactCenter, origins: Iterable[str]) -> dict[str, dict[str, str]]:
    """Make it where it is missing: {"genesys": {contact_center_id, api_key, endpoint}}. `origins`: of pages that may call."""
    registration = build_registration(
        center, NAME, Registration.Protocol.GENESYS, origins, lambda application: _register(center, application)
    )
    room = registration.rooms.first()
    told = {"contact_center_id": registration.foreign_id, "api_key": registration.public_key}
    return {"genesys": told | {"endpoint": room.foreign_id if room else ""}}


def _register(center: ContactCenter, application: Application) -> Registration:
    """Its one endpoint is the team where everybody writes who knows no other."""
    team: Team = center.teams.order_by("-is_default", "name")[0]
    channel = Channel.objects.create(center=center, kind=Channel.Kind.API, name=NAME, team=team)
    made = Registration.objects.create(
        center=center,
        application=application,
        channel=channel,
        protocol=Registration.Protocol.GENESYS,
        foreign_id=str(uuid4()),
        public_key=API_KEY,
    )
    RegistrationTeam.objects.create(center=center, registration=made, team=team, foreign_id=ENDPOINT)
    return made
