"""Comapi's cast: `space`, an API space of acme; `other`, one of globex; programs and apps that speak JSON to them.

space.program          shows the access token below /apispaces/{id}; space.basic: user name and password below /cpaas
space.get("chats", scope="all"), space.post("chats", {...}), space.put(…), space.delete(…)   by the program; answers are Django's
space.app("mia")       a customer's app, signed in as this profile: app.get("conversations")
space.chat(…)          a chat begun by the program: its JSON
space.held(chat_id, ann)   the agent has accepted it: our own row
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from chats.actions.foreign import make_customer
from chats.actions.offer import accept_invitation, offer_chat
from chats.models import AppSession, Chat, ForeignCustomer
from chats.protocols.comapi.callers import token_of
from contactcenter.models import ApiSpace, Application, Channel, Registration, RegistrationTeam
from tests.conftest import MARKER, online

ORIGIN = "https://shop.example"  # allowed for both
SPACE_ID = "2b3c4d5e-1111-4222-8333-944445555666"
OTHERS_ID = "9b3c4d5e-1111-4222-8333-944445555999"
ACCESS = "an-access-token-of-acme"
PASSWORD = "a-password-of-acme"
SHARED = "a-shared-secret-of-acme-as-long-as-it-should-be"
TEAM = "Customer_Services"  # acme's support


@pytest.fixture(autouse=True)
def fresh_counts() -> Iterator[None]:
    """Rates count in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


class Caller:
    """Fixed headers below one prefix. Answers are Django's; nothing may end as a traceback."""

    def __init__(self, prefix: str, **headers: str) -> None:
        self.client = Client(raise_request_exception=True)
        self.prefix = prefix
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Any:
        """`body` is sent as JSON, bytes as they are."""
        url = path if path.startswith("/") else f"{self.prefix}/{path}"
        if query:
            url += "?" + urlencode(query, doseq=True)
        extra: dict[str, Any] = {"headers": {**self.headers, **(headers or {})}}
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body)
            extra |= {"data": data, "content_type": "application/json"}
        return self.client.generic(method, url, **extra)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.call("GET", path, headers=headers, **query)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.call("POST", path, body, headers, **query)

    def put(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.call("PUT", path, body, headers, **query)

    def patch(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.call("PATCH", path, body, headers, **query)

    def delete(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.call("DELETE", path, headers=headers, **query)


class Space(Caller):
    """An API space, asked by a program that shows its access token."""

    def __init__(self, registration: Registration, row: ApiSpace, access: str, password: str) -> None:
        self.registration, self.row = registration, row
        self.center, self.application = registration.center, registration.application
        super().__init__(f"/apispaces/{registration.foreign_id}", Authorization=f"Bearer {access}")
        self.program: Caller = self
        self.basic = Caller("/cpaas", Authorization=basic(row.user_name, password))
        self.stranger = Caller(self.prefix)

    def profile(self, profile_id: str, **fields: Any) -> ForeignCustomer:
        found = ForeignCustomer.objects.filter(registration=self.registration, external_id=profile_id).first()
        made = {"name": "Mia", **fields}
        return found or make_customer(self.registration, made, external_id=profile_id, now=timezone.now()).foreign

    def app(self, profile_id: str = "mia", **fields: Any) -> Any:
        """A customer's app with a session: .session, .profile."""
        now = timezone.now()
        profile = self.profile(profile_id, **fields)
        session = AppSession.objects.create(
            center=self.center, registration=self.registration, profile=profile, expires_at=now + timedelta(hours=1)
        )
        app: Any = Caller(self.prefix, Authorization=f"Bearer {token_of(session)}")
        app.session, app.profile, app.token = session, profile, token_of(session)
        return app

    def chat(self, profile_id: str = "mia", **said: Any) -> dict[str, Any]:
        """Begun by the program for this profile."""
        body = {"name": "Parcel", "teamId": TEAM, "channelId": "appMessaging", "participants": [{"id": profile_id}]}
        answer = self.post("chats", {**body, **said})
        assert answer.status_code == 201, answer.content
        shown: dict[str, Any] = answer.json()
        return shown

    def row_of(self, chat_id: str) -> Chat:
        return Chat.objects.select_related("team", "customer").get(pk=chat_id)

    def held(self, chat_id: str, agent: Agent) -> Chat:
        """The agent has accepted the chat."""
        now = timezone.now()
        online(agent, now)
        offer_chat(self.row_of(chat_id), agent, reason="test", now=now)
        chat = self.row_of(chat_id)
        accept_invitation(agent, chat.invitations.pending().get().pk, now=now)
        return self.row_of(chat_id)


def make_space(world: SimpleNamespace, space_id: str, *, access: str, password: str, shared: str) -> Space:
    application = Application.objects.create(center=world.center, name="Apps", allowed_origins=[ORIGIN])
    channel = Channel.objects.create(center=world.center, kind=Channel.Kind.APP, name="Apps", team=world.support)
    made = Registration(
        center=world.center,
        application=application,
        channel=channel,
        protocol=Registration.Protocol.COMAPI,
        foreign_id=space_id,
    )
    made.set_secret(access)
    made.save()
    row = ApiSpace(center=world.center, registration=made, user_name=f"user-{space_id[:4]}", shared_secret=shared)
    row.set_password(password)
    row.save()
    RegistrationTeam.objects.create(center=world.center, registration=made, team=world.support, foreign_id=TEAM)
    return Space(made, row, access, password)


@pytest.fixture
def space(acme: Any) -> Space:
    return make_space(acme, SPACE_ID, access=ACCESS, password=PASSWORD, shared=SHARED)


@pytest.fixture
def other(globex: Any) -> Space:
    own = {"access": f"token-{MARKER}-access", "password": f"word-{MARKER}-pass", "shared": f"key-{MARKER}-shared-and-as-long-as-it-should-be"}
    return make_space(globex, OTHERS_ID, **own)
