"""An application of the demo that speaks Expertflow's customer channel: gadgets on web pages, and a connector that carries SMS."""

from collections.abc import Iterable
from uuid import uuid4

from chats.actions.connectors import make_connector
from contactcenter.models import Application, Channel, ContactCenter, Registration, RegistrationTeam, Team

from .application import build_registration

NAME = "Messaging"
CONNECTOR = ("sms", "Text messages")
SUBJECTS = {"support": "Support", "orders": "Sales"}  # team → as its clients send it


def build_expertflow(center: ContactCenter, origins: Iterable[str], known: dict[str, str]) -> dict[str, dict[str, str]]:
    """Make it where it is missing: {"expertflow": {contact_center_id, subject, secret}}. `origins`: of pages that may call; `known`: secrets that can still be told."""
    registration = build_registration(
        center, NAME, Registration.Protocol.EXPERTFLOW, origins, lambda application: _register(center, application)
    )
    if "expertflow" not in known or not registration.secret_hash:
        known["expertflow"] = registration.renew_secret()
    first = registration.rooms.order_by("-team__is_default", "foreign_id").first()
    told = {"contact_center_id": registration.foreign_id, "secret": known["expertflow"]}
    return {"expertflow": told | {"subject": first.foreign_id if first else ""}}


def _register(center: ContactCenter, application: Application) -> Registration:
    """Who names no subject writes to the default team."""
    team: Team = center.teams.order_by("-is_default", "name")[0]
    channel = Channel.objects.create(center=center, kind=Channel.Kind.API, name=NAME, team=team)
    made = Registration.objects.create(
        center=center,
        application=application,
        channel=channel,
        protocol=Registration.Protocol.EXPERTFLOW,
        foreign_id=str(uuid4()),
    )
    for row in center.teams.filter(key__in=SUBJECTS):
        RegistrationTeam.objects.create(center=center, registration=made, team=row, foreign_id=SUBJECTS[row.key])
    make_connector(made, *CONNECTOR)
    return made
