"""The numbering of a chat's events: no holes, no doubles, nothing of the staff's own; the same whoever asks, and at whatever moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.actions.guests import invite_guest, join_as_guest, leave_as_guest
from chats.actions.hold import assign_chat
from chats.actions.house import HouseWords, say_for_house
from chats.actions.post import Post, post_message
from chats.actions.read import mark_delivered, mark_read
from chats.actions.steer import transfer_by_application
from chats.models import Chat, Conversation, Event, Participant, SpaceChat, SpaceLine
from chats.protocols.comapi import lines
from chats.protocols.comapi.lines import catch_up
from chats.protocols.comapi.spaces import space_chat_of
from tests.conftest import make_held_chat, online

from .test_messages import ANN, page, send

pytestmark = [pytest.mark.django_db, pytest.mark.both]

BOB = "PLATFORMUSER\\bob@example.com"


@pytest.fixture
def talk(space, acme, ann, now):
    """A chat of the website that ann has: the space sees it, too."""
    return make_held_chat(acme, ann, now)


def post(part, text="hello", **members):
    number = Event.objects.filter(chat_id=part.chat_id).count()
    return post_message(Post(part.chat_id, part.pk, f"c{number}", text, **members), now=timezone.now())


def caught_up(space, chat):
    return catch_up(space_chat_of(space.registration, Chat.objects.get(pk=chat.pk), now=timezone.now()), timezone.now())


def told(known):
    """[(number, kind, profile, index of the message)]"""
    return list(known.lines.order_by("number").values_list("number", "kind", "profile", "index"))


def test_what_was_said_received_and_read_is_numbered_once(space, talk, ann):
    mia = str(talk.chat.customer_id)
    asked = post(talk.customer).index
    answered = post(talk.agent).index
    mark_delivered(talk.customer, answered)
    mark_read(talk.agent, asked)
    expected = [
        (0, "sent", mia, asked),
        (1, "sent", ANN, answered),
        (2, "delivered", mia, answered),
        (3, "delivered", ANN, asked),
        (4, "read", ANN, asked),
    ]
    known = caught_up(space, talk.chat)
    assert sorted(told(known)) == sorted(told(caught_up(space, talk.chat)))
    assert [row[0] for row in told(known)] == [0, 1, 2, 3, 4]
    assert {row[1:] for row in told(known)} == {row[1:] for row in expected}
    mark_read(talk.customer, answered)
    assert told(caught_up(space, talk.chat))[5:] == [(5, "read", mia, answered)]
    assert known.head == 5
    assert SpaceChat.objects.get(pk=known.pk).head == 6


def test_what_is_for_staff_alone_never_gets_a_line(space, talk):
    post(talk.agent, "psst", is_note=True)
    transfer_by_application(Chat.objects, talk.chat.pk, team=talk.chat.team, note="be nice", now=timezone.now())
    assert told(caught_up(space, talk.chat)) == []
    known = caught_up(space, talk.chat)
    assert known.told_position == Chat.objects.get(pk=talk.chat.pk).position


def test_guests_leave_no_trace_but_their_words(space, talk, ann, bob, now):
    asked = post(talk.customer).index
    invite_guest(ann, talk.chat.pk, bob, now=now)
    join_as_guest(bob, talk.chat.pk, now=now)
    guest = Participant.objects.get(chat=talk.chat, agent=bob)
    mark_delivered(guest, asked)
    mark_read(guest, asked)
    said = post(guest, "I know").index
    assert [row[1:] for row in told(caught_up(space, talk.chat))][1:] == [("sent", BOB, said)]
    leave_as_guest(bob, talk.chat.pk, now=now)
    assert len(told(caught_up(space, talk.chat))) == 2


def test_what_an_agent_had_read_before_the_next_one_came_is_told(space, talk, ann, bob, now):
    first = post(talk.customer).index
    mark_read(talk.agent, first)
    online(bob, now)
    assign_chat(Chat.objects, talk.chat.pk, bob, now=now)
    second = post(talk.customer).index
    mark_read(Participant.objects.get(chat=talk.chat, agent=bob), second)
    read = {row[2:] for row in told(caught_up(space, talk.chat)) if row[1] == "read"}
    assert read == {(ANN, first), (BOB, first), (BOB, second)}


def test_a_long_log_is_numbered_piece_by_piece(space, talk, monkeypatch):
    monkeypatch.setattr(lines, "AT_ONCE", 3)
    said = [post(part).index for part in [talk.customer, talk.agent] * 4]
    mark_read(talk.customer, said[-1])
    mark_read(talk.agent, said[-1])
    found = told(caught_up(space, talk.chat))
    assert [row[0] for row in found] == list(range(8 + 8 + 8))
    assert [row[3] for row in found if row[1] == "sent"] == said
    for mark in ("delivered", "read"):
        assert sorted(row[3] for row in found if row[1] == mark) == said


def test_a_conversation_numbers_over_its_chats(space, talk):
    profile = space.profile("mia")
    conversation = Conversation.objects.create(
        center=space.center, registration=space.registration, profile=profile, external_id="support_mia", head=5
    )
    space_chat_of(space.registration, talk.chat, now=timezone.now(), conversation=conversation)
    post(talk.customer)
    post(talk.agent)
    known = caught_up(space, talk.chat)
    assert list(known.lines.order_by("number").values_list("number", "conversation_number")) == [(0, 5), (1, 6)]
    conversation.refresh_from_db()
    assert conversation.head == 7


def test_two_spaces_number_for_themselves(space, other, talk):
    post(talk.customer)
    assert len(told(caught_up(space, talk.chat))) == 1
    assert SpaceLine.objects.filter(center=other.center).count() == 0
    assert other.get(f"chats/{talk.chat.pk}/messages", limit=1).status_code == 404


def test_who_has_nothing_to_catch_up_with_writes_and_locks_nothing(space, talk):
    post(talk.customer)
    mark_read(talk.agent, 99)
    known = caught_up(space, talk.chat)
    with CaptureQueriesContext(connection) as caught:
        catch_up(known, timezone.now())
    assert len(caught) <= 3
    assert all(query["sql"].startswith("SELECT") and "FOR " not in query["sql"] for query in caught)


@pytest.mark.postgres
def test_a_read_only_database_shows_what_was_numbered_before(space, talk):
    chat = str(talk.chat.pk)
    post(talk.customer, "before")
    assert len(page(space, chat)["messages"]) == 1
    post(talk.customer, "after")
    # Within a savepoint: rolling it back lets the database write again.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        assert [one["parts"][0]["data"] for one in page(space, chat)["messages"]] == ["before"]
        assert len(space.get(f"chats/{chat}/events", limit=9, **{"from": 0}).json()) == 1
        with transaction.atomic():
            send(space, chat, status=503)
        transaction.set_rollback(True)
    assert len(page(space, chat)["messages"]) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_the_same_numbers_without_holes(space, talk):
    chat, jobs = talk.chat, 8
    caught_up(space, chat)  # its row is there
    barrier = Barrier(jobs)

    def work(number):
        try:
            barrier.wait(30)
            for step in range(5):
                at = timezone.now() + timedelta(microseconds=step)
                if number % 4 == 0:
                    say_for_house(Chat.objects, chat.pk, HouseWords(text="x", client_id=f"{number}-{step}"), now=at)
                elif number % 4 == 1:
                    mark_read(talk.customer, 1000)
                elif number % 4 == 2:
                    post_message(Post(chat.pk, talk.agent.pk, f"{number}-{step}", "y"), now=at)
                caught_up(space, chat)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(work, number) for number in range(jobs)]:
            done.result(60)
    mark_read(talk.customer, 1000)
    found = told(caught_up(space, chat))
    assert [row[0] for row in found] == list(range(len(found)))
    said = Event.objects.filter(chat=chat, type="message.posted").order_by("position")
    assert [row[3] for row in found if row[1] == "sent"] == [event.index for event in said]
    assert len(found) == 20 * 3  # sent, delivered, read
