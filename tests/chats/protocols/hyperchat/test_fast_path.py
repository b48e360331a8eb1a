"""HyperChat's plain calls say what the views say, or nothing."""

import asyncio
import json

import pytest
from channels.db import database_sync_to_async as in_thread

from chats.actions.close import close_by_customer
from chats.actions.erase import erase_customer
from chats.actions.post import Post, post_message
from chats.models import Customer, Event, Participant
from tests.chats.fast_path import ask, same
from tests.chats.protocols.hyperchat.conftest import ORIGIN

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def chat(queued, ann, now, served):
    chat = queued.held_chat(ann)
    chat.mia = chat.participants.get(kind="customer")
    post_message(Post(chat.pk, chat.mia.pk, "first", "Hello"), now=now)
    return chat


def path_of(chat):
    return f"/v1/chats/{chat.pk}/messages"


def says(chat, text, **more):
    return {"sender": str(chat.customer_id), "message": text, **more}


def texts(answer):
    return [message["message"] for message in answer.body["messages"]]


async def test_a_poll(chat, queued):
    for _turn in range(2):
        answer = await same("GET", path_of(chat), queued.server.headers)
        assert texts(answer)[-1] == "Hello"
    answer = await same("GET", path_of(chat), queued.server.headers | {"Origin": ORIGIN})
    assert answer.headers[b"access-control-allow-origin"] == ORIGIN.encode()
    answer = await same("GET", path_of(chat), queued.server.headers | {"Origin": "https://evil.example"})
    assert b"access-control-allow-origin" not in answer.headers


async def test_each_change_shows_at_once(chat, queued, ann, now):
    await same("GET", path_of(chat), queued.server.headers)
    await in_thread(post_message)(Post(chat.pk, chat.mia.pk, "second", "Again"), now=now)
    assert texts(await same("GET", path_of(chat), queued.server.headers))[-2:] == ["Hello", "Again"]
    agents = Participant.objects.filter(chat=chat, agent__isnull=False)
    await in_thread(agents.update)(read_index=99)
    answer = await same("GET", path_of(chat), queued.server.headers)
    assert answer.body["messages"][-1]["read"]
    customer = await in_thread(Customer.objects.get)(pk=chat.customer_id)
    await in_thread(close_by_customer)(chat.mia, now=now)
    await in_thread(erase_customer)(customer, by=ann.user, now=now)
    answer = await same("GET", path_of(chat), queued.server.headers, is_plain=False)
    assert answer.status == 404


async def test_only_its_own_application_reads_and_writes(chat, queued, direct, foreign):
    for place in (direct, foreign):
        assert (await same("GET", path_of(chat), place.server.headers, is_plain=False)).status == 404
        answer = await same("POST", path_of(chat), place.server.headers, body=says(chat, "No"), is_plain=False)
        assert answer.status == 404
    right = queued.server.headers
    for wrong in (
        {**right, "x-hyper-secret": "wrong"},
        {**right, "x-hyper-appId": "nobody"},
        {"x-hyper-appId": right["x-hyper-appId"]},
        {},
    ):
        assert (await same("GET", path_of(chat), wrong, is_plain=False)).status in (401, 403)
        assert (await same("POST", path_of(chat), wrong, body=says(chat, "No"), is_plain=False)).status in (401, 403)
    await same("GET", f"{path_of(chat)}?key=x", right, is_plain=False)
    assert not await in_thread(Event.objects.filter(text="No").exists)()


def told(answer):
    """Without what no two messages share."""
    status, headers, content = answer.said
    message = json.loads(content)["message"]
    return status, headers | {b"content-length": b""}, {**message, "id": "", "message": "", "created": 0}


async def test_a_message(chat, queued):
    by_view = await ask("POST", path_of(chat), queued.server.headers, says(chat, "One"), by_view=True)
    answer = await ask("POST", path_of(chat), queued.server.headers, says(chat, "Two", chatId=str(chat.pk)))
    assert (by_view.was_plain, answer.was_plain) == (False, True)
    assert told(answer) == told(by_view)
    kept = says(chat, "Three", clientId="c-3")
    third = await ask("POST", path_of(chat), queued.server.headers, kept)
    again = await same("POST", path_of(chat), queued.server.headers, body=kept)
    assert again.said == third.said
    assert texts(await ask("GET", path_of(chat), queued.server.headers))[-3:] == ["One", "Two", "Three"]


async def test_what_is_no_plain_message_is_the_views(chat, queued, ann, now):
    other = await in_thread(queued.user)("Leo")
    for wrong in (
        says(chat, ""),
        says(chat, "No", chatId="x"),
        says(chat, "No", clientId="c" * 65),
        {"message": "No"},
        {"sender": str(other.foreign.customer_id), "message": "No"},
        {"sender": "system", "message": " "},
        {},
        [],
        b"{",
    ):
        answer = await same("POST", path_of(chat), queued.server.headers, body=wrong, is_plain=False)
        assert 400 <= answer.status < 500, wrong
    spoken = await ask("POST", path_of(chat), queued.server.headers, {"sender": str(ann.pk), "message": "I am Ann"})
    assert (spoken.was_plain, spoken.status) == (False, 200)
    await in_thread(close_by_customer)(chat.mia, now=now)
    answer = await same("POST", path_of(chat), queued.server.headers, body=says(chat, "No"), is_plain=False)
    assert answer.status >= 400
    assert not await in_thread(Event.objects.filter(text__in=["No", " "]).exists)()


async def test_what_was_stored_is_not_stored_again_when_its_answer_fails(chat, queued, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("chats.protocols.hyperchat.fast_path.message_shapes", fail)
    answer = await ask("POST", path_of(chat), queued.server.headers, says(chat, "Once"))
    assert (answer.status, set(answer.body)) == (500, {"error"})
    assert await in_thread(Event.objects.filter(text="Once").count)() == 1


async def test_nobody_waits_without_end_for_what_is_not_stored(chat, queued, monkeypatch):
    monkeypatch.setattr("chats.doors.fast_path.STORED_WITHIN", 0.1)
    monkeypatch.setattr("chats.doors.fast_path.poster.post", lambda _post: asyncio.get_running_loop().create_future())
    answer = await ask("POST", path_of(chat), queued.server.headers, says(chat, "Hello"))
    assert (answer.status, answer.headers[b"retry-after"]) == (503, b"2")
