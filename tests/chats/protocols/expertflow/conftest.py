"""Expertflow's cast: `desk`, an access of acme; `other`, one of globex; and clients that speak JSON to them.

talk = desk.init(channel="sms", refId="+491")   a conversation, as its client knows it: talk.paper("pdf")
talk.held_by(ann)                               the agent has accepted it
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from chats.actions.close import close_by_agent
from chats.actions.offer import accept_invitation, offer_chat
from chats.actions.post import Post, post_message
from chats.models import Chat, ForeignChat, Participant
from contactcenter.models import Application, Channel, Registration, RegistrationTeam
from tests.conftest import MARKER, online

ORIGIN = "https://shop.example"  # allowed for both
SECRET = "a-secret-of-acme"
OTHERS_SECRET = f"a-secret-of-{MARKER}"
INIT = "/api/customer/init"
HISTORY = "/legacy/api/getMessagesByRefId"
numbers = count()


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
        return self.client.generic(method, path, **extra)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def init(self, **said: Any) -> Any:
        """The answer to a request that names a channel."""
        return self.call("POST", INIT, {"firstName": "Mia", "channel": "web", **said})


@dataclass(frozen=True)
class Talk:
    """One conversation as its client knows it: by the ids that init gave."""

    page: Page
    id: str
    me: str

    @property
    def foreign(self) -> ForeignChat:
        return ForeignChat.objects.select_related("chat__customer", "connector").get(external_id=self.id)

    @property
    def row(self) -> Chat:
        return self.foreign.chat

    def paper(self, kind: str, **headers: str) -> Any:
        return self.page.get(f"/api/customer/transcript/{self.id}/{kind}", **headers)

    def says(self, text: str, **post: Any) -> None:
        customer = self.row.participants.get(kind=Participant.Kind.CUSTOMER)
        self._post(customer, text, **post)

    # The other side ---------------------------------------------------------------------------------------------------

    def held_by(self, agent: Agent) -> "Talk":
        """Offered to the agent, who accepts."""
        now = timezone.now()
        online(agent, now)
        accept_invitation(agent, offer_chat(self.row, agent, reason="test", now=now).pk, now=now)
        return self

    def seat(self, agent: Agent) -> Participant:
        return Participant.objects.get(chat=self.row, agent=agent)

    def answered(self, agent: Agent, text: str, **post: Any) -> None:
        self._post(self.seat(agent), text, **post)

    def closed_by(self, agent: Agent) -> "Talk":
        close_by_agent(agent, self.row.pk, now=timezone.now())
        return self

    def _post(self, who: Participant, text: str, **post: Any) -> None:
        Chat.objects.filter(pk=self.row.pk).update(pace_at=None)  # an unhurried person
        post_message(Post(self.row.pk, who.pk, f"t{next(numbers)}", text, **post), now=timezone.now())


@dataclass(frozen=True)
class Place:
    """One access, and who speaks to it."""

    registration: Registration
    secret: str

    @property
    def page(self) -> Page:
        """A gadget: it names the center and shows nothing."""
        return Page(ContactCenterId=self.registration.foreign_id)

    @property
    def program(self) -> Page:
        """The center's own connector."""
        return Page(ContactCenterId=self.registration.foreign_id, Authorization=f"Bearer {self.secret}")

    def init(self, page: Page | None = None, **said: Any) -> Talk:
        page = page or self.page
        answer = page.init(**said)
        assert answer.status_code == 200, answer.content
        return Talk(page, answer.json()["conversationId"], answer.json()["participant"]["id"])

    def carried(self, account: str = "+4917012345", channel: str = "sms", **said: Any) -> Talk:
        """As a connector begins one that has shown the secret."""
        return self.init(self.program, channel=channel, refId=account, **said)

    def past(self, account: str, query: str = "", page: Page | None = None) -> Any:
        return (page or self.program).get(f"{HISTORY}?refId={account}&{query}")


def make_place(world: SimpleNamespace, foreign_id: str, secret: str) -> Place:
    application = Application.objects.create(center=world.center, name="Chat server", allowed_origins=[ORIGIN])
    channel = Channel.objects.create(center=world.center, kind=Channel.Kind.API, name="Customer channel")
    registration = Registration(
        center=world.center,
        application=application,
        channel=channel,
        protocol=Registration.Protocol.EXPERTFLOW,
        foreign_id=foreign_id,
        demands_secret=True,
    )
    registration.set_secret(secret)
    registration.save()
    RegistrationTeam.objects.create(
        center=world.center, registration=registration, team=world.sales, foreign_id="gold-queue"
    )
    return Place(registration, secret)


@pytest.fixture
def desk(acme: SimpleNamespace) -> Place:
    return make_place(acme, "acme-chat", SECRET)


@pytest.fixture
def other(globex: SimpleNamespace) -> Place:
    return make_place(globex, f"other-{MARKER}", OTHERS_SECRET)


def is_error(answer: Any, status: int) -> bool:
    """Whether it is {code, error, message} and nothing else, under this HTTP status."""
    said = answer.json()
    return (
        answer.status_code == status
        and answer["Content-Type"].startswith("application/json")
        and set(said) == {"code", "error", "message"}
        and said["code"] == status
        and isinstance(said["error"], str)
        and said["error"] == said["message"] != ""
        and b"Traceback" not in answer.content
        and MARKER not in answer.content.decode()
    )
