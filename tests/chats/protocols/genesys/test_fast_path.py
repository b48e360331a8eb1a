"""Genesys' plain calls say what the views say, or nothing."""

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_thread
from django.utils import timezone

from chats.actions.close import close_by_customer
from chats.doors.throttles import Rate, tally
from chats.models import Event, Participant
from chats.protocols.genesys import customer
from chats.sockets import poster as posters
from tests.chats.fast_path import ask, same
from tests.chats.protocols.genesys.conftest import ORIGIN, Page

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def talk(shop, ann, served):
    talk = shop.request(subject="Parcel").held_by(ann)
    talk.messages()
    later = timezone.now() + timedelta(hours=1)
    Participant.objects.filter(chat=talk.row, kind="customer").update(lease_until=later)
    tally.forget()
    return talk


def poll_of(talk, query=""):
    return f"/api/v2/chats/{talk.id}/messages?{query}".rstrip("?")


def post_of(talk):
    return f"/api/v2/chats/{talk.id}"


def says(text):
    return {"operationName": "SendMessage", "text": text}


async def test_a_poll_without_lines(talk):
    for query in ("", "index=1000", "index=5x000", "index=-4", "wait=0", "index=1000&wait=x"):
        answer = await same("GET", poll_of(talk, query), talk.page.headers)
        assert answer.body == {"messages": [], "statusCode": 0}
    answer = await same("GET", poll_of(talk), talk.page.headers | {"Origin": ORIGIN})
    assert answer.headers[b"access-control-allow-origin"] == ORIGIN.encode()
    assert answer.headers[b"access-control-allow-credentials"] == b"true"
    await same("GET", poll_of(talk).replace("messages", "messages/"), talk.page.headers)
    await same("GET", poll_of(talk))  # who names nothing is known by the chat's id


async def test_lines_are_the_views(talk):
    await in_thread(talk.say)("Hello")
    for query in ("index=1", "index=3"):
        answer = await same("GET", poll_of(talk, query), talk.page.headers, is_plain=False)
        assert answer.body["messages"]
    await in_thread(talk.say)("Again")
    answer = await ask("GET", poll_of(talk), talk.page.headers)
    assert (answer.was_plain, [line["text"] for line in answer.body["messages"]]) == (False, ["Again"])
    assert (await ask("GET", poll_of(talk), talk.page.headers)).was_plain


async def test_a_long_poll_ends_with_the_first_line(talk):
    poll = asyncio.create_task(ask("GET", poll_of(talk, "wait=20"), talk.page.headers))
    await asyncio.sleep(0.3)
    assert not poll.done()
    await in_thread(talk.say)("Hello")
    answer = await asyncio.wait_for(poll, 10)
    assert [line["text"] for line in answer.body["messages"]] == ["Hello"]
    assert b"x-long-poll" not in answer.headers


async def test_who_polls_or_writes_is_there(talk):
    customers = Participant.objects.filter(chat=await in_thread(lambda: talk.row)(), kind="customer")
    for method, path, body in (("GET", poll_of(talk), None), ("POST", post_of(talk), says("Hello"))):
        await in_thread(customers.update)(lease_until=None)
        assert (await ask(method, path, talk.page.headers, body)).was_plain
        assert (await in_thread(customers.get)()).lease_until > timezone.now() + timedelta(seconds=60)


async def test_who_names_another_center_gets_nothing(talk, other):
    for page in (other.page if hasattr(other, "page") else Page(ContactCenterId="nobody"), Page(apikey="nobody")):
        answer = await same("GET", poll_of(talk), page.headers, is_plain=False)
        assert answer.status in (403, 404)
        answer = await same("POST", post_of(talk), page.headers, body=says("Hello"), is_plain=False)
        assert answer.status in (403, 404)
    for header in ({"Authorization": "Basic eDp5"}, {"Origin": "https://evil.example"}):
        answer = await same("GET", poll_of(talk), talk.page.headers | header, is_plain=False)
        assert answer.status in (401, 403)
    await same("GET", f"/api/v2/chats/{talk.id[:-1]}0/messages", talk.page.headers, is_plain=False)


async def test_polls_are_counted(talk, monkeypatch):
    rate = Rate("few", 200)  # told by twos
    monkeypatch.setattr(customer, "REQUESTS_BY_CHAT", rate)
    monkeypatch.setattr("chats.protocols.genesys.fast_path.REQUESTS_BY_CHAT", rate)
    answers = [await ask("GET", poll_of(talk), talk.page.headers) for _ in range(205)]
    assert all(answer.was_plain for answer in answers[:195])
    assert [answer.status for answer in answers[:195]] == [200] * 195
    assert answers[-1].status == 429


async def test_a_message(talk):
    by_view = await ask("POST", post_of(talk), talk.page.headers, says("One"), by_view=True)
    answer = await ask("POST", post_of(talk), talk.page.headers, says("Two"))
    assert (by_view.was_plain, answer.was_plain) == (False, True)
    assert answer.said == by_view.said
    plain_text = talk.page.headers | {"Content-Type": "text/plain"}
    assert (await ask("POST", post_of(talk), plain_text, says("Three"))).was_plain
    told = await in_thread(talk.told)("index=0")
    assert [one[3] for one in told if len(one) > 3] == ["One", "Two", "Three"]


async def test_a_refused_message_is_refused_by_the_view_and_stored_never(talk, now):
    for wrong in (
        says(""),
        says(5),
        says(" "),
        {"operationName": "SendMessage"},
        {"operationName": "sendMessage", "text": "No"},
        {"text": "No"},
        {},
        [],
        b"{",
    ):
        answer = await same("POST", post_of(talk), talk.page.headers, body=wrong, is_plain=False)
        assert answer.body["statusCode"]
    customers = Participant.objects.filter(chat=await in_thread(lambda: talk.row)(), kind="customer")
    await in_thread(close_by_customer)(await in_thread(customers.get)(), now=now)
    answer = await same("POST", post_of(talk), talk.page.headers, body=says("No"), is_plain=False)
    assert (answer.status, answer.body["statusCode"]) == (400, 2)
    assert not await in_thread(Event.objects.filter(text__in=["No", " "]).exists)()


async def test_what_may_be_stored_is_not_tried_again(talk, monkeypatch):
    from chats.errors import Unavailable

    tried = []

    def store(posts):
        tried.extend(posts)
        return [Unavailable() for _ in posts]

    monkeypatch.setattr(posters, "_store", store)
    answer = await ask("POST", post_of(talk), talk.page.headers, says("Hello"))
    assert (answer.status, answer.body["statusCode"], len(tried)) == (503, 4, 1)
