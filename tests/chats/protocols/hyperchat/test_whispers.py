"""Typing and reading, as HyperChat's web hooks hear of them."""

import asyncio
import threading

import pytest
from django.db import connection

from chats.actions.close import close_by_agent
from chats.actions.post import Post, post_message
from chats.actions.read import mark_delivered, mark_read
from chats.actions.show import show_typing
from chats.doors.aside import aside
from chats.events import Whisper
from chats.models import Delivery, Participant
from chats.protocols.hyperchat import whispers
from chats.protocols.hyperchat.shapes import message_id
from chats.protocols.hyperchat.whispers import MOST_REMEMBERED, Typed, hear, registration_of
from tests.chats.protocols.hyperchat.conftest import make_hook
from tests.conftest import make_held_chat, online

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(direct, ann, now):
    return direct.held_chat(online(ann, now))


def told():
    """(trigger, data) of what was filed of whispers."""
    rows = Delivery.objects.filter(event__in=["users:activity", "messages:read"]).order_by("number")
    return [(row.event, row.payload["data"]) for row in rows]


def customer_of(chat):
    return chat.participants.get(kind=Participant.Kind.CUSTOMER)


def typing(part):
    sender = {"id": str(part.pk), "kind": part.kind, "name": part.name}
    return Whisper("typing", {"sender": sender, "active": True})


def activity(chat, user, kind):
    return ("users:activity", {"chatId": str(chat.pk), "userId": str(user), "type": kind})


# Typing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_customer_who_writes_and_stops(direct, chat):
    hook = make_hook(direct, "users:activity")
    show_typing(customer_of(chat), active=True, text="My card is …")
    show_typing(customer_of(chat), active=False)
    assert told() == [
        activity(chat, chat.customer_id, "writing"),
        activity(chat, chat.customer_id, "not-writing"),
    ]
    delivery = Delivery.objects.first()
    assert (delivery.webhook, delivery.chat_id, delivery.payload["appId"]) == (hook, chat.pk, direct.app_id)
    assert "card" not in str([row.payload for row in Delivery.objects.all()])


def test_an_agent_is_told_by_its_own_id(direct, chat, ann):
    make_hook(direct, "users:activity")
    show_typing(chat.participants.get(agent=ann), active=True)
    assert told() == [activity(chat, ann.pk, "writing")]


def test_over_the_api_it_is_told_the_same_way(direct, chat, ann):
    make_hook(direct, "users:activity")
    body = {"type": "writing", "chatId": str(chat.pk)}
    assert direct.server.post(f"users/{ann.pk}/activity", body).json() == {"success": True}
    assert told() == [activity(chat, ann.pk, "writing")]


def test_a_key_that_is_held_down_is_told_once(direct, chat, ann):
    make_hook(direct, "users:activity")
    for _ in range(30):
        show_typing(customer_of(chat), active=True)
        show_typing(chat.participants.get(agent=ann), active=True)
    assert told() == [activity(chat, chat.customer_id, "writing"), activity(chat, ann.pk, "writing")]


def test_nobody_writes_in_a_chat_that_has_ended(direct, chat, ann, now):
    make_hook(direct, "users:activity")
    close_by_agent(ann, chat.pk, now=now)
    show_typing(customer_of(chat), active=True)
    assert told() == []


def test_to_a_receiver_that_does_not_answer_nobody_writes(direct, chat):
    away, there = make_hook(direct, "users:activity"), make_hook(direct, "users:activity")
    Delivery.objects.create(center_id=chat.center_id, webhook=away, chat=chat, event="chats:create", attempts_made=1)
    show_typing(customer_of(chat), active=True)
    assert list(Delivery.objects.filter(event="users:activity").values_list("webhook", flat=True)) == [there.pk]


def test_what_is_the_same_for_long_is_told_again():
    at = [100.0]
    typed = Typed(clock=lambda: at[0])
    chat_id = "chat"
    said = []
    for seconds, active in [(0, True), (5, True), (9, False), (9.5, False), (10, True), (19, True), (20, True)]:
        at[0] = 100 + seconds
        said.append(typed.is_news(chat_id, "mia", active=active))
    assert said == [True, False, True, False, True, False, True]


def test_everybody_has_a_memory_of_their_own():
    typed = Typed()
    assert typed.is_news("chat", "mia", active=True)
    assert typed.is_news("chat", "ann", active=True)
    assert typed.is_news("other", "mia", active=True)
    assert not typed.is_news("chat", "mia", active=True)


def test_the_oldest_is_forgotten_when_too_many_write():
    typed = Typed(clock=lambda: 1.0)
    assert typed.is_news("first", "mia", active=True)
    assert all(typed.is_news(number, "mia", active=True) for number in range(MOST_REMEMBERED))
    assert typed.is_news("first", "mia", active=True)


# Reading --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_who_has_read_up_to_where(direct, chat, ann, now):
    make_hook(direct, "messages:read")
    posted = post_message(Post(chat.pk, customer_of(chat).pk, "c-1", "Hello"), now=now)
    mark_read(chat.participants.get(agent=ann), posted.index)
    read = message_id(chat.pk, posted.index)
    assert told() == [("messages:read", {"chatId": str(chat.pk), "messageId": read, "userId": str(ann.pk)})]
    answer = direct.server.put(f"messages/{read}/read", {"userId": str(chat.customer_id)})
    assert answer.status_code == 200
    assert told()[1:] == [
        ("messages:read", {"chatId": str(chat.pk), "messageId": read, "userId": str(chat.customer_id)})
    ]


def test_reading_on_past_what_is_no_message_names_the_last_message(direct, chat, ann, now):
    make_hook(direct, "messages:read")
    posted = post_message(Post(chat.pk, customer_of(chat).pk, "c-1", "Hello"), now=now)
    close_by_agent(ann, chat.pk, now=now)
    mark_read(customer_of(chat), 99)
    ((_, data),) = told()
    assert data["messageId"] == message_id(chat.pk, posted.index)


def test_reading_where_nothing_was_said_is_not_told(direct, chat):
    make_hook(direct, "messages:read")
    mark_read(customer_of(chat), 1)
    assert told() == []


def test_reading_the_same_twice_is_told_once(direct, chat, ann, now):
    make_hook(direct, "messages:read")
    posted = post_message(Post(chat.pk, customer_of(chat).pk, "c-1", "Hello"), now=now)
    for _ in range(3):
        mark_read(chat.participants.get(agent=ann), posted.index)
    assert len(told()) == 1


def test_that_a_message_has_arrived_is_no_word_of_theirs(direct, chat, ann, now):
    make_hook(direct)
    posted = post_message(Post(chat.pk, customer_of(chat).pk, "c-1", "Hello"), now=now)
    mark_delivered(chat.participants.get(agent=ann), posted.index)
    assert told() == []


# To whom, at what price -----------------------------------------------------------------------------------------------


def test_only_the_application_of_the_chat_hears(direct, queued, foreign, chat):
    for place in (queued, foreign):
        make_hook(place)
    show_typing(customer_of(chat), active=True)
    assert told() == []
    assert registration_of(chat.pk) == direct.registration.pk


def test_chats_of_the_web_site_are_nobodys(direct, acme, ann, now):
    make_hook(direct)
    held = make_held_chat(acme, online(ann, now), now)
    show_typing(held.customer, active=True)
    mark_read(held.agent, 1)
    assert told() == []


def test_who_wants_to_hear_of_typing_alone_is_not_told_of_reading(direct, chat, ann, now):
    make_hook(direct, "users:activity")
    posted = post_message(Post(chat.pk, customer_of(chat).pk, "c-1", "Hello"), now=now)
    mark_read(chat.participants.get(agent=ann), posted.index)
    assert told() == []


def test_where_nobody_listens_typing_costs_no_query(chat, django_assert_num_queries):
    said = typing(customer_of(chat))
    hear(chat.pk, said)
    with django_assert_num_queries(0):
        for _ in range(10):
            hear(chat.pk, said)


def test_where_others_listen_a_chat_of_nobody_is_asked_for_once(direct, acme, ann, now, django_assert_num_queries):
    make_hook(direct)
    held = make_held_chat(acme, online(ann, now), now)
    hear(held.chat.pk, typing(held.customer))
    with django_assert_num_queries(0):
        hear(held.chat.pk, typing(held.customer))


def test_the_chat_s_row_is_locked_while_a_call_is_filed(direct, chat, monkeypatch):
    """Else its number could be drawn before that of a message which is committed first."""
    make_hook(direct, "users:activity")
    seen = []
    monkeypatch.setattr(whispers, "file", lambda filed: seen.append((connection.in_atomic_block, len(filed))))
    show_typing(customer_of(chat), active=True)
    assert seen == [(True, 1)]


def test_whoever_whispers_does_not_fail_for_a_listener(direct, chat, monkeypatch):
    make_hook(direct, "users:activity")

    def fail(_filed):
        raise RuntimeError("no room")

    monkeypatch.setattr(whispers, "file", fail)
    show_typing(customer_of(chat), active=True)
    assert told() == []


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_sockets_whisper_on_the_event_loop(direct):
    make_hook(direct, "users:activity")
    chat = direct.chat()
    part, done = customer_of(chat), threading.Event()

    async def whisper():
        show_typing(part, active=True)
        aside.do(done.set)
        assert await asyncio.to_thread(done.wait, 10)

    asyncio.run(whisper())
    assert told() == [activity(chat, chat.customer_id, "writing")]
