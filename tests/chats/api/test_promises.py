"""What is promised of REST: harmless repeats, a pace, honest refusals while the database takes no writes, long polls."""

import pytest
from django.db import connection, transaction

from chats.models import Chat, CustomerSession, Event
from contactcenter import longpoll
from contactcenter.models import Installation
from tests.chats.api.conftest import as_agent, as_application, as_customer
from tests.conftest import make_chat, make_held_chat


def post(api, chat, client_id, text="Hello", **more):
    return api.post(f"chats/{chat.pk}/messages", {"client_id": client_id, "text": text, **more})


@pytest.fixture
def talk(acme, ann, now):
    mia = as_customer(acme, now)
    mia.chat = make_held_chat(acme, ann, now, customer=mia.customer).chat
    return mia


def test_a_repeat_gets_the_first_answer_and_another_body_a_conflict(talk, ann):
    for api in (talk, as_agent(ann)):
        first, again = post(api, talk.chat, "m"), post(api, talk.chat, "m")
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json() | {"replayed": True}
        other = post(api, talk.chat, "m", "Other")
        assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert Event.objects.filter(type="message.posted").count() == 2  # the same id of two senders is two messages


def test_a_customer_who_writes_too_fast_is_told_when_to_come_again(talk):
    # A slow machine earns one more a second: the sixty are kept, the refusal comes a little later.
    for number in range(200):
        slow = post(talk, talk.chat, f"m{number}")
        if slow.status_code != 201:
            break
    assert number >= 60
    assert (slow.status_code, slow.json()["code"]) == (429, "too_many")
    assert int(slow["Retry-After"]) >= 1
    assert slow.json()["retry_after"] > 0
    # What was refused was not stored: the same id goes in later.
    assert not Event.objects.filter(client_id=f"m{number}").exists()


def test_agents_have_no_such_pace(talk, ann):
    api = as_agent(ann)
    assert {post(api, talk.chat, f"a{number}").status_code for number in range(65)} == {201}


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_read_only_database_stores_nothing_and_reading_goes_on(acme, talk, ann, now):
    agent, shop = as_agent(ann), as_application(acme)
    CustomerSession.objects.update(expires_at=now.replace(year=now.year + 1))
    Installation.current()
    before = (Event.objects.count(), Chat.objects.count())
    # Within a savepoint: rolling it back lets the database write again.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        try_while_read_only(talk, agent, shop)
        transaction.set_rollback(True)
    assert (Event.objects.count(), Chat.objects.count()) == before
    assert post(talk, talk.chat, "r", "x").status_code == 201


def try_while_read_only(talk, agent, shop):
    chat = talk.chat
    writes = [
        (talk, f"chats/{chat.pk}/messages", {"client_id": "r", "text": "x"}),
        (talk, "chats", {"client_id": "r"}),
        (talk, f"chats/{chat.pk}/close", {}),
        (talk, f"chats/{chat.pk}/read", {"index": 1}),
        (agent, f"chats/{chat.pk}/messages", {"client_id": "r", "text": "x"}),
        (agent, f"chats/{chat.pk}/close", {}),
        (agent, "agent/ticket", {}),
        (agent, "me/status", {"status": "online"}),
        (shop, f"chats/{chat.pk}/messages", {"client_id": "r", "text": "x"}),
        (shop, "chats", {"client_id": "r", "customer": {"name": "x"}}),
    ]
    for api, path, body in writes:
        with transaction.atomic():
            answer = api.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), (path, answer.content)
        assert int(answer["Retry-After"]) >= 1
    for api, path in ((talk, f"chats/{chat.pk}"), (talk, f"chats/{chat.pk}/events"), (agent, "chats"), (shop, "teams")):
        assert api.get(path).status_code == 200, path


def test_an_empty_answer_waits_on_the_callers_own_topic(talk, ann):
    agent = as_agent(ann)
    head = agent.get(f"chats/{talk.chat.pk}/events").json()["head"]
    waits = agent.get(f"chats/{talk.chat.pk}/events?after={head}&wait=20")
    assert longpoll.parse(waits[longpoll.HEADER]) == ([f"staff:{talk.chat.pk}"], 20.0)
    index = talk.get(f"chats/{talk.chat.pk}/events").json()["head"]
    waits = talk.get(f"chats/{talk.chat.pk}/events?after={index}&wait=25")
    assert longpoll.parse(waits[longpoll.HEADER]) == ([f"customer:{talk.chat.pk}"], 25.0)
    assert waits.json()["events"] == []
    ringing = agent.get("invitations?wait=5")
    assert longpoll.parse(ringing[longpoll.HEADER]) == ([f"agent:{ann.pk}"], 5.0)


def test_an_answer_with_news_does_not_wait(talk, ann):
    path = f"chats/{talk.chat.pk}/events"
    assert longpoll.HEADER not in talk.get(f"{path}?after=1&wait=20")
    assert longpoll.HEADER not in talk.get(f"{path}?after=999&wait=20")  # a cursor of another epoch
    head = talk.get(path).json()["head"]
    assert longpoll.HEADER not in talk.get(f"{path}?after={head}")
    as_agent(ann).post(f"chats/{talk.chat.pk}/close")
    end = talk.get(path).json()["head"]
    assert longpoll.HEADER not in talk.get(f"{path}?after={end}&wait=20")  # nothing more will come


def test_pages_before_a_cursor_are_in_order(talk, ann):
    agent = as_agent(ann)
    for number in range(10):
        post(agent, talk.chat, f"m{number}", f"{number}")
    path = f"chats/{talk.chat.pk}/events"
    head = agent.get(path).json()["head"]
    positions = [event["position"] for event in agent.get(f"{path}?before={head}&limit=3").json()["events"]]
    assert positions == [head - 3, head - 2, head - 1]
    assert len(agent.get(f"{path}?after=2&limit=4").json()["events"]) == 4


def test_queries_do_not_grow_with_the_list(acme, ann, django_assert_max_num_queries, now):
    api = as_agent(ann)
    api.get("chats")
    for _ in range(12):
        make_chat(acme, now)
    for path in ("chats", "customers", "agents", "queue", "offline-messages"):
        with django_assert_max_num_queries(12):
            assert api.get(path).status_code == 200


def test_every_answer_is_private(talk, nobody):
    for answer in (talk.get(f"chats/{talk.chat.pk}"), nobody.get("me"), nobody.get("nothing")):
        assert answer["Cache-Control"] == "private, no-store"
