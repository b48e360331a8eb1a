"""Callers of all kinds, in both centers, as clients that speak JSON."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from agents.models import Agent
from chats.actions.sessions import open_session
from contactcenter.models import Application, ApplicationPassword

BASE = "/api/v1/"


@pytest.fixture(autouse=True)
def fresh_counts():
    """Rates count in the cache, which outlives a test."""
    cache.clear()


class Api:
    """A caller: `api.get("chats")`, `api.post("chats", {...})` answer Django's response."""

    def __init__(self, client: Client | None = None, **headers: str) -> None:
        self.client = client or Client(raise_request_exception=True)
        self.headers = headers

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        url = path if path.startswith("/") else BASE + path
        extra: dict[str, Any] = {"headers": {**self.headers, **headers}}
        if body is not None:
            extra |= {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, url, **extra)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def as_agent(agent: Agent) -> Api:
    """By an application password, as a program would."""
    secret = ApplicationPassword.issue(agent.user, "tests")[1]
    return Api(Authorization=basic(agent.user.username, secret))


def as_person(agent: Agent) -> Api:
    """By the session cookie, without CSRF checks (see test_principals for those)."""
    client = Client()
    client.force_login(agent.user)
    return Api(client)


def as_customer(place: SimpleNamespace, now: Any, **session: Any) -> Api:
    opened = open_session(place.channel, now=now, **session)
    api = Api(Authorization=f"Bearer {opened.token}")
    api.opened, api.token, api.customer = opened, opened.token, opened.customer  # type: ignore[attr-defined]
    return api


def as_application(place: SimpleNamespace, *, teams: list[Any] | None = None, **fields: Any) -> Api:
    application = Application.objects.create(center=place.center, name="Shop", **fields)
    for team in teams or []:
        application.application_teams.create(center=place.center, team=team)
    api = Api(Authorization=f"Bearer {application.renew_secret()}")
    api.application = application  # type: ignore[attr-defined]
    return api


@pytest.fixture
def nobody() -> Api:
    return Api()


@pytest.fixture
def mia(acme, now):
    """A customer of acme without a chat."""
    return as_customer(acme, now)


@pytest.fixture
def ann_api(ann):
    return as_agent(ann)


@pytest.fixture
def sue_api(sue):
    return as_agent(sue)


@pytest.fixture
def shop(acme):
    """An application of acme that may use all teams."""
    return as_application(acme)
