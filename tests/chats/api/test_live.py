"""REST over the real way in: the edge, the threads, the hub, the poster; nothing within a test's transaction."""

import asyncio
import json
import time

import pytest
from channels.db import database_sync_to_async

from agents.models import Agent
from chats.models import Event
from contactcenter.models import ApplicationPassword
from tests.chats.api.conftest import as_customer, basic
from tests.conftest import make_held_chat

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
async def served(transactional_db):
    from chats.sockets import service

    async with service.running():
        yield
        await asyncio.sleep(0.1)


async def call(method, path, headers, body=None):
    """One request through the edge: status, headers, JSON body."""
    from contactcenter.asgi import application

    path, _, query = path.partition("?")
    sent, waiting = [], [{"type": "http.request", "body": json.dumps(body).encode() if body is not None else b""}]
    names = {"host": "127.0.0.1", "content-type": "application/json", **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": f"/api/v1/{path}",
        "raw_path": f"/api/v1/{path}".encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in names.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive():
        if waiting:
            return waiting.pop()
        await asyncio.sleep(3600)
        return None

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(content or b"null")


@pytest.fixture
def talk(acme, ann, now):
    mia = as_customer(acme, now)
    mia.chat = make_held_chat(acme, ann, now, customer=mia.customer).chat
    mia.agent = {"Authorization": basic("ann", ApplicationPassword.issue(ann.user, "tests")[1])}
    return mia


async def test_a_long_poll_ends_the_moment_something_is_said(talk, served):
    path = f"chats/{talk.chat.pk}"
    head = (await call("GET", f"{path}/events", talk.headers))[2]["head"]
    began = time.monotonic()
    poll = asyncio.create_task(call("GET", f"{path}/events?after={head}&wait=20", talk.headers))
    await asyncio.sleep(0.5)
    assert not poll.done()
    posted = await call("POST", f"{path}/messages", talk.agent, {"client_id": "m", "text": "Hi"})
    status, headers, body = await asyncio.wait_for(poll, 5)
    assert posted[0] == 201
    assert status == 200
    assert [(event["text"], event["index"]) for event in body["events"]] == [("Hi", head + 1)]
    assert time.monotonic() - began < 15
    assert b"x-long-poll" not in {name.lower() for name in headers}


async def test_a_note_does_not_wake_the_customer(talk, served):
    path = f"chats/{talk.chat.pk}"
    head = (await call("GET", f"{path}/events", talk.headers))[2]["head"]
    poll = asyncio.create_task(call("GET", f"{path}/events?after={head}&wait=1", talk.headers))
    await asyncio.sleep(0.3)
    note = await call("POST", f"{path}/messages", talk.agent, {"client_id": "n", "text": "rude", "note": True})
    assert note[0] == 201
    assert (await poll)[2]["events"] == []


async def test_many_posts_at_once_are_each_stored_once_and_in_order(talk, served):
    path = f"chats/{talk.chat.pk}/messages"
    bodies = [{"client_id": f"m{number % 20}", "text": f"{number % 20}"} for number in range(40)]
    answers = await asyncio.gather(*(call("POST", path, talk.agent, body) for body in bodies))
    assert {status for status, _headers, _body in answers} <= {200, 201}
    first = {}
    for _status, _headers, body in answers:
        assert first.setdefault(body["client_id"], body["position"]) == body["position"]
    stored = await database_sync_to_async(list)(Event.objects.filter(chat=talk.chat).values_list("position", flat=True))
    assert stored == list(range(1, len(stored) + 1))
    assert len(set(first.values())) == 20


async def test_a_refusal_of_the_poster_is_an_answer(talk, served):
    path = f"chats/{talk.chat.pk}/messages"
    assert (await call("POST", path, talk.agent, {"client_id": "a", "text": "one"}))[0] == 201
    status, _headers, body = await call("POST", path, talk.agent, {"client_id": "a", "text": "two"})
    assert (status, body["code"]) == (409, "conflict")
    assert await database_sync_to_async(Agent.objects.count)() == 1
