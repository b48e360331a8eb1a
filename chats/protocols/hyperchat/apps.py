"""Applications: each server sees its own, an operator sees all and makes and changes them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.registrations import add_registration, change_registration
from chats.errors import Invalid, NotFound
from contactcenter.models import ContactCenter, Registration, Team

from . import asked_apps as asked
from .callers import PUBLIC, HyperchatAuthentication, Proof
from .door import Door
from .operators import Operator, OperatorAuthentication

OPERATOR = frozenset({Proof.OPERATOR})
OWN_OR_OPERATOR = frozenset({Proof.OPERATOR, Proof.SECRET})
MOST_APPS = 1000  # in one answer


class AppsDoor(Door):
    """What both addresses share."""

    authentication_classes = (OperatorAuthentication, HyperchatAuthentication)

    def apps(self) -> Any:
        """Those that the caller may see, by application id."""
        rows = Registration.objects.filter(protocol=Registration.Protocol.HYPERCHAT)
        if not isinstance(self.request.user, Operator):
            rows = rows.filter(pk=self.caller.registration.pk)
        return rows.select_related("application", "center").prefetch_related("rooms__team").order_by("foreign_id")

    @property
    def operator(self) -> Any:
        return self.request.user.user  # type: ignore[union-attr]

    @staticmethod
    def fields(body: dict[str, Any], center: ContactCenter) -> dict[str, Any]:
        """The body with the rooms' teams as rows: teams of that center, by key. Raises Invalid."""
        if "rooms" not in body:
            return body
        teams = {team.key: team for team in Team.objects.filter(center=center, is_active=True)}
        unknown = [key for key in body["rooms"].values() if key not in teams]
        if unknown:
            raise Invalid(fields={"rooms": f"Unknown team {unknown[0]}"})
        return body | {"rooms": {room: teams[key] for room, key in body["rooms"].items()}}


class Apps(AppsDoor):
    access = {"GET": OWN_OR_OPERATOR, "POST": OPERATOR}

    def get(self, request: Request) -> Response:
        return Response({"apps": [app_shape(registration) for registration in self.apps()[:MOST_APPS]]})

    def post(self, request: Request) -> Response:
        """The answer is the only one that shows the secret."""
        body = self.read(asked.MakeApp)
        center = ContactCenter.objects.filter(slug=body.pop("center"), is_active=True).first()
        if center is None:
            raise Invalid("Unknown contact center")
        registration, secret = add_registration(center, self.fields(body, center), by=self.operator)
        return Response({"app": app_shape(registration) | {"secret": secret}})


class OneApp(AppsDoor):
    access = {"GET": OWN_OR_OPERATOR, "PUT": OPERATOR}

    def get(self, request: Request, row_id: str) -> Response:
        return Response({"app": app_shape(self.app(row_id))})

    def put(self, request: Request, row_id: str) -> Response:
        registration = self.app(row_id)
        fields = self.fields(self.read(asked.ChangeApp), registration.center)
        change_registration(registration, fields, by=self.operator)
        return Response({"app": app_shape(self.app(fields.get("foreign_id", row_id)))})

    def app(self, app_id: str) -> Registration:
        """Raises NotFound."""
        registration: Registration | None = self.apps().filter(foreign_id=app_id).first()
        if registration is None:
            raise NotFound
        return registration


class Validate(Door):
    access = {"GET": PUBLIC}

    def get(self, request: Request, row_id: str) -> Response:
        """Whether the application's id, and whatever was shown with it, are right; another answer than this is an error."""
        if row_id != self.caller.registration.foreign_id:
            raise NotFound
        return Response({"success": True, "valid": True})


def app_shape(registration: Registration) -> dict[str, Any]:
    """An application without its secret, of which only a fingerprint is kept."""
    return {
        "id": registration.foreign_id,
        "appId": registration.foreign_id,
        "name": registration.application.name,
        "center": registration.center.slug,
        "domainKey": registration.public_key,
        "queue": {"active": registration.uses_queue},
        "allowedDomains": registration.application.allowed_origins,
        "rooms": [{"id": room.foreign_id, "team": room.team.key} for room in registration.rooms.all()],
        "active": registration.is_active,
    }
