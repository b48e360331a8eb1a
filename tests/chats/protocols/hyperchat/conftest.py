"""HyperChat's cast: `direct` and `queued`, two applications of acme; `foreign`, one of globex; and a client that speaks JSON to them.

direct.server.post("chats", {...})      with the secret
direct.page.get("agents/available")     with the application id alone
direct.as_user(token).get("users/…")    with a user's token
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from chats.actions.foreign import Joined, begin_foreign_chat, make_customer
from chats.actions.offer import accept_invitation, offer_chat
from chats.models import Chat, ForeignCustomer, Webhook
from chats.protocols.hyperchat.callers import agent_token
from chats.protocols.hyperchat.subscribers import wanted
from chats.protocols.hyperchat.whispers import typed
from contactcenter.models import Application, Channel, Registration, RegistrationTeam, Team
from tests.cases import forgets
from tests.conftest import MARKER, online

BASE = "/v1/"
ORIGIN = "https://shop.example"  # allowed for all three
SECRET = "0123456789abcdef-secret"  # of each: an application's id tells them apart


forgets.extend([wanted.forget, typed.forget])


@pytest.fixture(autouse=True)
def fresh_counts() -> Iterator[None]:
    """Rates count in the cache, which outlives a test; so does what is remembered of web hooks and of who writes."""
    cache.clear()
    wanted.forget()
    typed.forget()
    yield
    cache.clear()
    wanted.forget()


class Hyper:
    """A caller with fixed headers: get, post, put, delete answer Django's response. Nothing may end as a traceback."""

    def __init__(self, app_id: str = "", **proof: str) -> None:
        self.client = Client(raise_request_exception=True)
        self.headers = {"x-hyper-appId": app_id} if app_id else {}
        self.headers |= {f"x-hyper-{name}": value for name, value in proof.items()}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`body` is sent as JSON, bytes as they are; other headers by name with _ for -."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        extra: dict[str, Any] = {"headers": {**self.headers, **own}}
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body)
            extra |= {"data": data, "content_type": "application/json"}
        return self.client.generic(method, path if path.startswith("/") else BASE + path, **extra)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, {} if body is None else body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("DELETE", path, body, **headers)

    def upload(self, path: str, **parts: Any) -> Any:
        """A multipart POST; files as SimpleUploadedFile."""
        return self.client.post(BASE + path, parts, headers=self.headers)


@dataclass(frozen=True)
class Place:
    """One application as HyperChat knows it. room: its first room (team support); room2: its second (sales)."""

    registration: Registration
    team: Team
    second: Team
    room: str = "1"
    room2: str = "2"
    secret: str = SECRET

    @property
    def app_id(self) -> str:
        return self.registration.foreign_id

    @property
    def server(self) -> Hyper:
        return Hyper(self.app_id, secret=self.secret)

    @property
    def page(self) -> Hyper:
        return Hyper(self.app_id)

    @property
    def keyed(self) -> Hyper:
        """With the domain key, from an allowed page."""
        hyper = Hyper(self.app_id, key=self.registration.public_key)
        hyper.headers["Origin"] = ORIGIN
        return hyper

    def as_user(self, token: str) -> Hyper:
        return Hyper(self.app_id, token=token)

    def as_agent(self, agent: Agent) -> Hyper:
        """An agent who has logged in here: online, with a lease."""
        online(agent, timezone.now())
        return self.as_user(agent_token(self.registration, agent))

    def user(self, name: str = "Mia", **fields: Any) -> Joined:
        """A customer of the application: .foreign, .token."""
        return make_customer(self.registration, {"name": name}, now=timezone.now(), **fields)

    def chat(self, user: ForeignCustomer | None = None, *, room: str = "1", **fields: Any) -> Chat:
        """A chat of the application that waits: in its queue, or for its client to search."""
        now = timezone.now()
        facts = {"room": room, "source": 3, **fields.pop("facts", {})}
        team = self.team if room == self.room else self.second
        customer = user or self.user().foreign
        return begin_foreign_chat(self.registration, customer, team=team, facts=facts, now=now, **fields).chat

    def held_chat(self, agent: Agent, user: ForeignCustomer | None = None, **fields: Any) -> Chat:
        """A chat of the application that the agent has accepted."""
        now = timezone.now()
        chat = Chat.objects.get(pk=self.chat(user, **fields).pk)
        invitation = offer_chat(chat, agent, reason="test", now=now)
        return accept_invitation(agent, invitation.pk, now=now)


def make_place(world: SimpleNamespace, name: str, *, uses_queue: bool) -> Place:
    """An application of a center with two rooms, numbered as connectors number them."""
    application = Application.objects.create(center=world.center, name=name, allowed_origins=[ORIGIN])
    channel = Channel.objects.create(center=world.center, kind=Channel.Kind.API, name=name)
    registration = Registration(
        center=world.center, application=application, channel=channel, foreign_id=f"app-{name}", uses_queue=uses_queue
    )
    registration.set_secret(SECRET)
    registration.save()
    for room, team in (("1", world.support), ("2", world.sales)):
        RegistrationTeam.objects.create(center=world.center, registration=registration, team=team, foreign_id=room)
    return Place(registration, world.support, world.sales)


@pytest.fixture
def direct(acme: SimpleNamespace) -> Place:
    """Its clients search for agents themselves."""
    return make_place(acme, "direct", uses_queue=False)


@pytest.fixture
def queued(acme: SimpleNamespace) -> Place:
    """Its chats wait in their team's queue."""
    return make_place(acme, "queued", uses_queue=True)


@pytest.fixture
def foreign(globex: SimpleNamespace) -> Place:
    """The other center's."""
    return make_place(globex, f"foreign-{MARKER}", uses_queue=True)


def make_hook(place: Place, *triggers: str, **fields: Any) -> Webhook:
    """A web hook of the application that has shaken hands; hears all where no triggers are named."""
    registration = place.registration
    return Webhook.objects.create(
        center=registration.center,
        application=registration.application,
        registration=registration,
        url="http://127.0.0.1:9/hook",
        events=list(triggers or ["*"]),
        **fields,
    )


def is_error(response: Any, status: int) -> bool:
    """Whether it is their envelope: the code an integer and the status' own, a sentence beside it, nothing else."""
    said = response.json()
    error = said.get("error", {})
    return (
        response.status_code == status
        and set(said) == {"error"}
        and error.get("code") == status
        and isinstance(error["code"], int)
        and isinstance(error.get("message"), str)
        and error["message"] != ""
    )
