"""Shapes: exactly the keys of docs/realtime.md, few queries, nothing for staff in what the customer gets."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.models import Agent
from chats.actions.guests import invite_guest, join_as_guest, leave_as_guest
from chats.actions.post import Post, post_message
from chats.models import Chat, Event, Invitation
from chats.shapes import (
    agent_shape,
    chat_for_customer,
    chat_for_staff,
    event_for_customer,
    event_for_staff,
    for_customer,
    for_staff,
    invitation_shape,
    stamp,
    with_chats,
    with_load,
)
from contactcenter.models import WidgetSettings
from tests.conftest import make_chat, make_held_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]

CUSTOMER_KEYS = [
    "id",
    "state",
    "subject",
    "team",
    "agent",
    "started_at",
    "closed_at",
    "close_reason",
    "head",
    "read",
    "survey",
]
STAFF_KEYS = [
    "index_head",
    "customer",
    "channel",
    "agent_id",
    "priority",
    "language",
    "skills",
    "page",
    "data",
    "queued_at",
    "waiting_since",
    "last_message",
    "unread",
    "online",
    "disposition",
    "comment",
    "rating",
    "held",
    "guest",
    "guests",
]


def test_times_are_utc_with_milliseconds_and_a_z():
    assert stamp(datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)) == "2026-11-21T09:00:00.123Z"
    assert stamp(None) is None


def test_a_chat_as_the_customer_sees_it_has_exactly_the_documented_keys(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    shown = chat_for_customer(for_customer(Chat.objects.all()).get(pk=held.chat.pk))
    assert sorted(shown) == sorted(CUSTOMER_KEYS)
    assert shown["agent"] == {"id": str(ann.pk), "name": "Ann", "avatar": None, "is_bot": False}
    assert shown["head"] == held.chat.index
    assert shown["survey"] == {"open": False, "answered": False}


def test_staff_see_more_and_their_head_counts_everything(acme, ann, bob, now):
    held = make_held_chat(acme, ann, now)
    post_message(Post(held.chat.pk, held.agent.pk, "n1", "psst", is_note=True), now=now)
    chat = for_staff(Chat.objects.all()).get(pk=held.chat.pk)
    shown = chat_for_staff(chat, viewer_id=ann.pk, now=now)
    assert sorted(shown) == sorted(CUSTOMER_KEYS + STAFF_KEYS)
    assert (shown["head"], shown["index_head"]) == (chat.position, chat.index)
    assert shown["held"] is True
    assert chat_for_staff(chat, viewer_id=bob.pk, now=now)["held"] is False
    assert shown["online"] is True
    assert chat_for_staff(chat, now=now + timedelta(minutes=5))["online"] is False


def test_guests_are_named_and_told_what_they_are(acme, ann, bob, now):
    held = make_held_chat(acme, ann, now)
    invite_guest(ann, held.chat.pk, bob, now=now)

    def shown(viewer):
        chat = for_staff(Chat.objects.all()).get(pk=held.chat.pk)
        return chat_for_staff(chat, viewer_id=viewer.pk, now=now)

    assert shown(ann)["guests"] == [{"id": str(bob.pk), "name": "Bob", "state": "invited"}]
    assert (shown(ann)["guest"], shown(bob)["guest"]) == (None, "invited")
    join_as_guest(bob, held.chat.pk, now=now)
    assert (shown(bob)["guest"], shown(bob)["guests"][0]["state"]) == ("joined", "joined")
    leave_as_guest(bob, held.chat.pk, now=now)
    assert (shown(bob)["guest"], shown(bob)["guests"]) == (None, [])


def test_the_survey_is_open_after_the_end_where_the_widget_asks(acme, ann, now):
    WidgetSettings.objects.create(center=acme.center, channel=acme.channel, survey=True)
    held = make_held_chat(acme, ann, now)
    Chat.objects.filter(pk=held.chat.pk).update(state="closed", closed_at=now, rating=4)
    shown = chat_for_customer(for_customer(Chat.objects.all()).get(pk=held.chat.pk))
    assert shown["survey"] == {"open": True, "answered": True}


def test_chats_cost_the_same_number_of_queries_however_many(acme, ann, now, django_assert_num_queries):
    make_held_chat(acme, ann, now)
    for _ in range(4):
        make_chat(acme, now)
    with django_assert_num_queries(2):
        assert len([chat_for_staff(chat, viewer_id=ann.pk, now=now) for chat in for_staff(Chat.objects.all())]) == 5
    with django_assert_num_queries(2):
        assert len([chat_for_customer(chat) for chat in for_customer(Chat.objects.all())]) == 5


def test_an_event_for_the_customer_has_no_position_and_the_one_for_staff_has_both(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    posted = post_message(Post(held.chat.pk, held.customer.pk, "c1", "Hello"), now=now)
    event = Event.objects.get(chat=held.chat, position=posted.position)
    shown = event_for_customer(event)
    assert shown == {
        "index": posted.index,
        "type": "message.posted",
        "at": stamp(now),
        "sender": {"id": str(held.customer.pk), "kind": "customer", "name": "Mia"},
        "text": "Hello",
        "attachments": [],
        "client_id": "c1",
        "data": {},
    }
    assert event_for_staff(event) == shown | {"position": posted.position}


def test_a_system_event_has_a_sender_without_id(acme, now):
    started = make_chat(acme, now)
    queued = Event.objects.get(chat=started.chat, type="chat.queued")
    assert event_for_customer(queued)["sender"] == {"kind": "system", "name": ""}


def test_an_invitation_carries_its_chat_in_few_queries(acme, ann, now, django_assert_num_queries):
    make_held_chat(acme, ann, now)
    with django_assert_num_queries(3):
        invitation = with_chats(Invitation.objects.all()).get()
        shown = invitation_shape(invitation, now=now)
    assert sorted(shown) == ["chat", "expires_at", "id", "offered_at", "reason", "seconds"]
    assert shown["seconds"] == 30


def test_an_agent_is_shown_with_slots_and_teams_and_offline_without_a_client(acme, ann, now, django_assert_num_queries):
    make_held_chat(acme, ann, now)
    with django_assert_num_queries(2):
        shown = agent_shape(with_load(Agent.objects.all()).get(), now=now)
    assert (shown["status"], shown["capacity"], shown["used"]) == ("offline", 3, 1)
    assert sorted(shown["teams"]) == sorted([str(acme.support.pk), str(acme.sales.pk)])
    online(ann, now)
    assert agent_shape(with_load(Agent.objects.all()).get(), now=now)["status"] == "online"
