"""App Messaging: sessions of customers' apps.

GET    /sessions/start              what the app's own server signs
POST   /sessions                    the token of a session, for what was signed
GET    /sessions/tokens/anon        what is signed for a visitor who signs in nowhere
GET, DELETE       /sessions/{id}
PUT, DELETE       /sessions/{id}/push
"""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.app_sessions import end_session, open_session, set_push
from chats.doors.throttles import address_of
from chats.errors import Invalid, NotFound
from chats.models import AppSession

from . import authentication
from .callers import LONGEST, token_of
from .door import Door
from .names import as_uuid, iso

PUSH = {
    "fcm": {"package": 200, "registrationId": 1000},
    "apns": {"bundleId": 200, "environment": 20, "token": 400},
}
ENVIRONMENTS = ("development", "production")


class SessionForm(serializers.Serializer[Any]):
    authenticationId = serializers.CharField(max_length=200)
    authenticationToken = serializers.CharField(max_length=LONGEST)
    deviceId = serializers.CharField(max_length=200, required=False, default="", allow_blank=True, allow_null=True)
    platform = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True)
    platformVersion = serializers.CharField(max_length=1000, required=False, allow_blank=True, allow_null=True)
    sdkType = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True)
    sdkVersion = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    push = serializers.JSONField(required=False, allow_null=True)


class AnonymousForm(serializers.Serializer[Any]):
    id = serializers.RegexField(
        rf"^[A-Za-z0-9_.\-]{{{authentication.LEAST_ANONYMOUS},{authentication.MOST_ANONYMOUS}}}\Z",
        error_messages={"invalid": "must be 16 to 150 letters, digits, dots or dashes that nobody can guess: a GUID."},
    )
    nonce = serializers.RegexField(r"^[0-9a-f]{32}\Z")


class PushForm(serializers.Serializer[Any]):
    """One of both; read_push() looks into them."""

    fcm = serializers.DictField(required=False, allow_null=True)
    apns = serializers.DictField(required=False, allow_null=True)


class StartView(Door):
    is_open = True

    def get(self, request: Request) -> Response:
        """What the app's own server signs."""
        assert self.registration is not None  # noqa: S101 - set before any method
        authentication_id, nonce, until = authentication.begin(self.registration, self.now)
        said = {
            "authenticationId": authentication_id,
            "provider": "jsonWebToken",
            "nonce": nonce,
            "expiresOn": iso(until),
        }
        return Response(said)


class AnonymousView(Door):
    is_open = True
    queries: ClassVar = {"GET": AnonymousForm}

    def get(self, request: Request) -> Response:
        """A token for a visitor who signs in nowhere."""
        assert self.registration is not None  # noqa: S101 - as above
        asked = self.read_query(AnonymousForm)
        return Response(
            {"token": authentication.anonymous_token(self.registration, asked["id"], asked["nonce"], self.now)}
        )


class SessionsView(Door):
    is_open = True
    asks: ClassVar = {"POST": SessionForm}

    def post(self, request: Request) -> Response:
        """A session, for what was signed."""
        registration = self.registration
        assert registration is not None  # noqa: S101 - as above
        said = self.read(SessionForm)
        push = read_push(said.get("push") or {}, "push.")
        authentication_id = said["authenticationId"]
        session_id = authentication.session_id_of(registration, authentication_id, self.now)
        nonce = authentication.nonce_of(registration, authentication_id)
        profile_id = authentication.profile_of(registration, said["authenticationToken"], nonce)
        names = ("platform", "platformVersion", "sdkType", "sdkVersion")
        facts = {name: said.get(name) or "" for name in names} | {"sourceIp": address_of(request)}
        session = open_session(
            registration,
            session_id,
            profile_id,
            device_id=said.get("deviceId") or "",
            facts=facts,
            push=push,
            now=self.now,
        )
        return Response({"token": token_of(session), "session": session_shape(session, is_active=True)})


class SessionView(Door):
    allows_apps = True

    def get(self, request: Request, session_id: str) -> Response:
        """One session."""
        session = self.find(session_id)
        is_active = session.ended_at is None and session.expires_at > self.now
        return self.entity(session_shape(session, is_active=is_active), changed_at=session.created_at)

    def delete(self, request: Request, session_id: str) -> Response:
        """It ends, and its token with it."""
        end_session(self.find(session_id), now=self.now)
        return Response(status=204)

    def find(self, session_id: str) -> AppSession:
        """Of the space; for an app of its own profile. Raises NotFound."""
        row_id: UUID | None = as_uuid(session_id)
        sessions: QuerySet[AppSession] = AppSession.objects.filter(registration=self.caller.registration)
        if self.caller.profile is not None:
            sessions = sessions.filter(profile=self.caller.profile)
        found = (
            sessions.filter(pk=row_id)
            .select_related("profile__customer", "profile__registration", "registration")
            .first()
            if row_id
            else None
        )
        if found is None:
            raise NotFound("There is no such session.")
        return found


class PushView(SessionView):
    asks: ClassVar = {"PUT": PushForm}

    def get(self, request: Request, session_id: str) -> Response:
        """How its device is reached."""
        return Response(self.find(session_id).push)

    def put(self, request: Request, session_id: str) -> Response:
        """Say how its device is reached."""
        push = read_push(self.body())
        if not push:
            raise Invalid(fields={"fcm": "Name fcm or apns."})
        session = self.find(session_id)
        set_push(session, push, now=self.now)
        return Response(session.push)

    def delete(self, request: Request, session_id: str) -> Response:
        """Its device is told nothing from now on."""
        set_push(self.find(session_id), {}, now=self.now)
        return Response(status=204)


def read_push(said: Any, at: str = "") -> dict[str, dict[str, str]]:
    """{"fcm": {package, registrationId}} or {"apns": {bundleId, environment, token}}; other members are left out. `at`: where in the body. Raises Invalid."""
    if not isinstance(said, dict):
        raise Invalid(fields={at.rstrip(".") or "body": "must be an object."})
    found: dict[str, dict[str, str]] = {}
    for service, fields in PUSH.items():
        if said.get(service) is None:
            continue
        given = said[service]
        if not isinstance(given, dict):
            raise Invalid(fields={at + service: "must be an object."})
        found[service] = {
            name: _text(given.get(name), longest, f"{at}{service}.{name}") for name, longest in fields.items()
        }
    if "apns" in found and found["apns"]["environment"] not in ENVIRONMENTS:
        raise Invalid(fields={f"{at}apns.environment": "must be development or production."})
    return found


def session_shape(session: AppSession, *, is_active: bool) -> dict[str, Any]:
    names = ("platform", "platformVersion", "sdkType", "sdkVersion", "sourceIp")
    return {
        "id": str(session.pk),
        "profileId": session.profile.external_id,
        "deviceId": session.device_id,
        **{name: session.facts.get(name, "") for name in names},
        "isActive": is_active,
        "createdOn": iso(session.created_at),
        "expiresOn": iso(session.expires_at),
    }


def _text(value: Any, longest: int, param: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        raise Invalid(fields={param: f"must be a text of 1 to {longest} characters."})
    return value


ROUTES: list[tuple[str, type[Door], str]] = [
    ("sessions/start", StartView, "session-start"),
    ("sessions/tokens/anon", AnonymousView, "session-anonymous"),
    ("sessions", SessionsView, "sessions"),
    ("sessions/{session_id}", SessionView, "session"),
    ("sessions/{session_id}/push", PushView, "session-push"),
]
