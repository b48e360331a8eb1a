"""Genesys' cast: `shop`, an access of acme; `other`, one of globex; and a page that speaks JSON to them.

talk = shop.request(subject="Parcel")      a chat, as its customer's page knows it: talk.say("Hello"), talk.messages()
talk.held_by(ann)                          the agent has accepted it
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
from chats.actions.offer import accept_invitation, offer_chat
from chats.actions.post import Post, post_message
from chats.actions.show import show_typing
from chats.models import Chat, ForeignChat, Participant
from contactcenter.models import Application, Channel, Registration, RegistrationTeam
from tests.conftest import MARKER, online

BASE = "/api/v2/"
ORIGIN = "https://shop.example"  # allowed for both
PUBLISHED = "N18TFGbKpn0zaGLXDFZhPWpTcB2eyx44"  # the apikey that everybody sends
CONTACT_CENTER_ID = "6f5f2a0e-3c53-4f35-8a2b-1d1b6b6c2a11"


@pytest.fixture(autouse=True)
def fresh_counts() -> Iterator[None]:
    """Rates count in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def no_default(settings: Any) -> None:
    """The demo has a default center; here a test that wants one says so."""
    settings.DEFAULT_CONTACT_CENTER = ""


class Page:
    """A caller with fixed headers. Answers are Django's; nothing may end as a traceback."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(raise_request_exception=True)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def call(self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **headers: str) -> Any:
        """`body` is sent as JSON, bytes as they are; other headers by name with _ for -."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        extra: dict[str, Any] = {"headers": {**self.headers, **own}}
        if body is not None:
            extra |= {"data": body if isinstance(body, bytes) else json.dumps(body), "content_type": kind}
        return self.client.generic(method, path if path.startswith("/") else BASE + path, **extra)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)


@dataclass(frozen=True)
class Talk:
    """One chat as its customer's page knows it: by the id that it was given."""

    page: Page
    id: str

    @property
    def foreign(self) -> ForeignChat:
        return ForeignChat.objects.select_related("chat").get(external_id=self.id)

    @property
    def row(self) -> Chat:
        return self.foreign.chat

    def do(self, operation: str, **parameters: Any) -> Any:
        return self.page.post(f"chats/{self.id}", {"operationName": operation, **parameters})

    def say(self, text: str) -> None:
        assert self.do("SendMessage", text=text).json() == {"statusCode": 0}

    def state(self) -> dict[str, Any]:
        """{id, state, capabilities, participants}."""
        answer = self.page.get(f"chats/{self.id}").json()
        assert set(answer) == {"chat", "statusCode"}
        assert answer["statusCode"] == 0
        return answer["chat"]

    def messages(self, query: str = "") -> list[dict[str, Any]]:
        """`query`: index=1, say."""
        answer = self.page.get(f"chats/{self.id}/messages?{query}")
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert (set(said), said["statusCode"]) == ({"messages", "statusCode"}, 0)
        return said["messages"]

    def told(self, query: str = "index=0") -> list[tuple[Any, ...]]:
        """The messages as (index, type, nickname, text?)."""
        return [
            (one["index"], one["type"], one["from"]["nickname"], *([one["text"]] if "text" in one else []))
            for one in self.messages(query)
        ]

    # The other side ---------------------------------------------------------------------------------------------------

    def held_by(self, agent: Agent) -> "Talk":
        """Offered to the agent, who accepts."""
        now = timezone.now()
        online(agent, now)
        invitation = offer_chat(self.row, agent, reason="test", now=now)
        accept_invitation(agent, invitation.pk, now=now)
        return self

    def seat(self, agent: Agent) -> Participant:
        return Participant.objects.get(chat=self.row, agent=agent)

    def answered(self, agent: Agent, text: str) -> None:
        post_message(Post(self.row.pk, self.seat(agent).pk, f"a-{text}", text), now=timezone.now())

    def typed(self, agent: Agent, active: bool) -> None:
        show_typing(self.seat(agent), active=active)


@dataclass(frozen=True)
class Place:
    """One access, and the pages that name it."""

    registration: Registration

    @property
    def page(self) -> Page:
        """As the product's clients call: with ContactCenterId."""
        return Page(ContactCenterId=self.registration.foreign_id)

    @property
    def keyed(self) -> Page:
        """As the emulator's clients call: with apikey."""
        return Page(apikey=self.registration.public_key)

    def request(self, nickname: str = "Mia", subject: str = "Parcel", **parameters: Any) -> Talk:
        body = {"operationName": "RequestChat", "nickname": nickname, "subject": subject, **parameters}
        answer = self.page.post("chats", body)
        assert answer.status_code == 200, answer.content
        return Talk(self.page, answer.json()["id"])


def make_place(world: SimpleNamespace, foreign_id: str, *, key: str = PUBLISHED) -> Place:
    application = Application.objects.create(center=world.center, name="Pages", allowed_origins=[ORIGIN])
    channel = Channel.objects.create(center=world.center, kind=Channel.Kind.API, name="Pages")
    registration = Registration.objects.create(
        center=world.center,
        application=application,
        channel=channel,
        protocol=Registration.Protocol.GENESYS,
        foreign_id=foreign_id,
        public_key=key,
    )
    RegistrationTeam.objects.create(
        center=world.center, registration=registration, team=world.sales, foreign_id="SalesQueue"
    )
    return Place(registration)


@pytest.fixture
def shop(acme: SimpleNamespace) -> Place:
    return make_place(acme, CONTACT_CENTER_ID)


@pytest.fixture
def other(globex: SimpleNamespace) -> Place:
    """The other center's, with the same published apikey."""
    return make_place(globex, f"other-{MARKER}")


def is_error(answer: Any, status: int, code: int) -> bool:
    """Whether it is a statusCode with its sentence, nothing else, under this HTTP status."""
    said = answer.json()
    sentence = said.get("statusMessage")
    return (
        answer.status_code == status
        and set(said) == {"statusCode", "statusMessage"}
        and (said["statusCode"], isinstance(said["statusCode"], int)) == (code, True)
        and isinstance(sentence, str)
        and sentence != ""
    )
