"""Queues: their state, and one chat's place."""

from datetime import timedelta

import pytest

from chats.models import Chat, Queue
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import make_chat, online


@pytest.mark.both
def test_each_room_tells_its_line_and_who_is_there(queued, acme, ann, now):
    online(ann, now)
    queued.chat()
    make_chat(acme, now)  # the same line, by another door
    assert queued.server.get("queues/status/").json() == {
        "queue": {
            "active": True,
            "rooms": [
                {
                    "room": "1",
                    "waiting": 2,
                    "estimatedWaitingTime": 0,
                    "agentsAvailable": 1,
                    "agentsOnline": True,
                },
                {
                    "room": "2",
                    "waiting": 0,
                    "estimatedWaitingTime": 0,
                    "agentsAvailable": 1,
                    "agentsOnline": True,
                },
            ],
        }
    }


def test_only_the_server_sees_the_state(queued, ann):
    for caller in (queued.page, queued.keyed, queued.as_user(queued.user().token), queued.as_agent(ann)):
        assert is_error(caller.get("queues/status"), 403)


def test_chats_for_which_a_client_searches_stand_in_no_line(direct):
    chat = direct.chat()
    assert direct.server.get("queues/status").json()["queue"]["rooms"][0]["waiting"] == 0
    place = direct.server.get(f"queues/update/{chat.pk}").json()
    assert place["data"] == {"queuePosition": 0, "estimatedWaitingTime": None}


@pytest.mark.both
def test_the_position_says_how_many_are_ahead(queued, acme, now):
    make_chat(acme, now - timedelta(minutes=2))
    first, second = queued.chat(), queued.chat()
    places = [queued.server.get(f"queues/update/{chat.pk}").json() for chat in (first, second)]
    assert [place["data"]["queuePosition"] for place in places] == [1, 2]
    assert places[0] == {
        "chatId": str(first.pk),
        "userId": str(first.customer_id),
        "data": {"queuePosition": 1, "estimatedWaitingTime": None},
    }


def test_the_next_one_has_nobody_ahead(queued):
    place = queued.server.get(f"queues/update/{queued.chat().pk}").json()
    assert place["data"]["queuePosition"] == 0


def test_the_wait_is_told_in_seconds_once_it_is_known(queued, now):
    queued.chat()
    chat = queued.chat()
    Queue.objects.update(seconds_per_chat=90, moved_at=now)
    assert queued.server.get(f"queues/update/{chat.pk}").json()["data"] == {
        "queuePosition": 1,
        "estimatedWaitingTime": 180,
    }


def test_who_has_an_agent_waits_no_more(queued, ann):
    chat = queued.held_chat(ann)
    assert queued.server.get(f"queues/update/{chat.pk}").json()["data"] == {
        "queuePosition": 0,
        "estimatedWaitingTime": 0,
    }


def test_a_user_asks_for_its_own_chat_alone(queued):
    mia, max_ = queued.user(), queued.user("Max")
    chat = queued.chat(mia.foreign)
    assert queued.as_user(mia.token).get(f"queues/update/{chat.pk}").status_code == 200
    assert is_error(queued.as_user(max_.token).get(f"queues/update/{chat.pk}"), 404)
    assert is_error(queued.page.get(f"queues/update/{chat.pk}"), 403)


def test_chats_of_others_are_not_found(queued, direct, foreign, acme, now):
    for chat in (direct.chat(), foreign.chat(), make_chat(acme, now).chat):
        assert is_error(queued.server.get(f"queues/update/{chat.pk}"), 404)
    for odd in ("1", "%00", "x" * 100):
        assert is_error(queued.server.get(f"queues/update/{odd}"), 404)
    assert Chat.objects.count() == 3
