"""Shapes: exactly the keys of docs/realtime.md, few queries, nothing for staff in what the customer gets."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from agents.models import Agent
from chats.actions.connectors import HOLD, note_absent, note_given, take_up
from chats.actions.guests import invite_guest, join_as_guest, leave_as_guest
from chats.actions.post import Post, post_message
from chats.actions.receive import Inbound, receive
from chats.carriers import registry
from chats.delivery_shapes import MOST_TEXT
from chats.models import Account, Carrier, Chat, Dispatch, Event, ForeignChat, Invitation
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
from chats.sockets.pulse import read_heads
from contactcenter.models import WidgetSettings
from tests.chats.carried import carry, hold, make_sms, say
from tests.chats.networks import Network, make_carrier, send_all
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
    "delivered",
    "delivery",
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
    sms = make_sms(acme)
    for account in ("+49 1", "+49 2"):
        carry(sms, account, now)
    page = make_carrier(acme, "messenger", "4711").channel
    for number in range(3):
        receive(page, Inbound(external_id=f"m{number}", address=f"{number}", text="Hello"), now=now)
    with django_assert_num_queries(2):
        assert len([chat_for_staff(chat, viewer_id=ann.pk, now=now) for chat in for_staff(Chat.objects.all())]) == 10
    with django_assert_num_queries(2):
        assert len([chat_for_customer(chat) for chat in for_customer(Chat.objects.all())]) == 10
    chat_ids = [chat.pk for chat in Chat.objects.all()]
    with django_assert_num_queries(4):
        assert len(read_heads(chat_ids, now)) == 10


def test_staff_see_how_a_connector_carries_a_chat(acme, ann, now):
    def shown(at=now):
        return chat_for_staff(for_staff(Chat.objects.all()).get(pk=chat.pk), now=at)

    sms, later, holder = make_sms(acme), now + timedelta(minutes=1), uuid4()
    chat = carry(sms, "+49 1", now)
    take_up(sms, holder, now=now)
    seat = hold(chat, ann, now)
    chat.refresh_from_db()
    note_given(chat.pk, chat.index)
    about = {
        "carrier": "connector", "connector": "Texts", "account": "+49 1", "away_since": None, "owed_since": None,
        "most_text": None, "window_ends_at": None, "stopped": False,
    }  # fmt: skip
    assert (shown()["delivery"], shown()["delivered"]["customer"]) == (about, chat.index)
    posted = say(seat, "Are you there?", now)
    assert shown()["delivery"] == about | {"owed_since": stamp(now)}
    # Its process died: away from the moment at which it was seen last, swept or not.
    seen = about | {"away_since": stamp(now + HOLD), "owed_since": stamp(now)}
    assert shown(later)["delivery"] == seen
    note_absent(later)
    assert shown(later)["delivery"] == seen
    take_up(sms, holder, now=now)
    note_given(chat.pk, posted.index)
    assert (shown()["delivery"], shown()["delivered"]["customer"]) == (about, posted.index)


def test_staff_see_how_a_carrier_of_ours_carries_a_chat(acme, ann, now, monkeypatch):
    network = Network()
    monkeypatch.setitem(registry.PROVIDERS, "messenger", network)
    carrier = make_carrier(acme, "messenger", "4711")
    chat = receive(carrier.channel, Inbound(external_id="m1", address="psid", text="Hello"), now=now).chat

    def shown():
        row = for_staff(Chat.objects.all()).get(pk=chat.pk)
        delivery = chat_for_staff(row, now=now)["delivery"]
        assert read_heads([chat.pk], now)[chat.pk].delivery == delivery
        return delivery

    about = {
        "carrier": "messenger", "connector": "Our facebook", "account": "psid", "away_since": None, "owed_since": None,
        "most_text": 2000, "window_ends_at": stamp(now + timedelta(days=1)), "stopped": False,
    }  # fmt: skip
    assert shown() == about
    say(hold(chat, ann, now), "Hello Mia", now)
    filed_at = Dispatch.objects.get().filed_at
    assert shown() == about | {"owed_since": stamp(filed_at)}
    Carrier.objects.update(is_active=False)
    assert shown() == about | {"owed_since": stamp(filed_at), "away_since": stamp(filed_at)}
    Carrier.objects.update(is_active=True, **Carrier.trouble("The token is no longer valid.", now))
    Carrier.objects.update(**Carrier.trouble("It is still not.", now + timedelta(hours=1)))
    assert shown() == about | {"owed_since": stamp(filed_at), "away_since": stamp(now)}
    Carrier.objects.update(**Carrier.trouble("", now))
    send_all(filed_at + timedelta(seconds=1))
    assert (shown(), len(network.sent)) == (about, 1)
    Account.objects.update(stopped_at=now, last_inbound_at=None)
    assert shown() == about | {"stopped": True, "window_ends_at": None}
    carrier.delete()
    assert shown() is None


def test_what_one_message_may_hold_is_what_its_carrier_says():
    for name, most in MOST_TEXT.items():
        assert name not in registry.PROVIDERS or registry.PROVIDERS[name].most_text == most


def test_a_chat_that_no_connector_carries_says_so(acme, now):
    chats = [
        make_chat(acme, now).chat,
        carry(make_sms(acme), "+49 1", now),
        carry(make_sms(acme, name="b"), "+49 2", now),
    ]
    ForeignChat.objects.filter(chat=chats[1]).update(connector=None)
    ForeignChat.objects.filter(chat=chats[2]).delete()
    for chat in for_staff(Chat.objects.all()):
        assert chat_for_staff(chat, now=now)["delivery"] is None, chat.pk


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
