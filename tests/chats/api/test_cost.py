"""What the requests of busy clients may cost: look-ups in the database, and middlewares that are spared."""

import pytest

from chats.models import Participant
from tests.chats.api.conftest import Api, as_customer
from tests.conftest import make_held_chat

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(acme, now):
    return as_customer(acme, now)


@pytest.fixture
def chat(acme, ann, now, api):
    return make_held_chat(acme, ann, now, customer=api.customer).chat


def test_a_poll_with_nothing_new_asks_twice_and_writes_nothing(api, chat, django_assert_num_queries):
    poll = f"chats/{chat.pk}/events?after={chat.index}"
    api.get(poll)
    lease = Participant.objects.get(chat=chat, kind="customer").lease_until
    with django_assert_num_queries(2):
        answer = api.get(poll)
    assert answer.json()["events"] == []
    assert answer.json()["chat"]["read"] == {"agent": 0, "customer": 0}
    assert Participant.objects.get(chat=chat, kind="customer").lease_until == lease


def test_a_chat_begins_with_few_statements(acme, now, django_assert_max_num_queries):
    for turn in range(2):  # the second finds the team's queue
        api = as_customer(acme, now)
        body = {"client_id": f"c{turn}", "text": "Hello"}
        if turn:
            with django_assert_max_num_queries(17):
                assert api.post("chats", body).status_code == 201
        else:
            assert api.post("chats", body).status_code == 201


def test_a_program_gets_the_security_headers_and_no_session(api, chat):
    answer = api.get(f"chats/{chat.pk}")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-store"
    assert int(answer["Content-Length"]) == len(answer.content)
    assert not answer.cookies


def test_a_signed_in_persons_session_still_speaks_for_them(ann, client):
    client.force_login(ann.user)
    assert Api(client).get("agents").status_code == 200
    assert Api().get("agents").status_code == 401
