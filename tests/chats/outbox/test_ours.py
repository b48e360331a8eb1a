"""Our own words: one shape for every event."""

import json

import pytest

from chats.actions.post import Post, post_message
from chats.events import Record, all_event_types
from chats.models import Customer, Event, ForeignChat
from chats.outbox import ours
from chats.outbox.filing import live_webhooks
from chats.outbox.signing import encode
from chats.shapes import event_for_staff, stamp
from tests.cases import cases
from tests.chats.outbox.conftest import make_registration, make_webhook
from tests.conftest import make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_a_call_holds_the_chat_and_the_event_as_staff_see_it(acme, ann, now):
    webhook = make_webhook(acme, "http://127.0.0.1:9/", "message.posted")
    held = make_held_chat(acme, ann, now, subject="Shoes", language="de")
    Customer.objects.update(external_id="C-1")
    ForeignChat.objects.create(
        center=acme.center, registration=make_registration(acme), chat=held.chat, external_id="T-7"
    )
    post_message(Post(held.chat.pk, held.customer.pk, "c1", "Grüße 👋"), now=now)
    event = Event.objects.get(chat=held.chat, type="message.posted")
    payload = webhook.deliveries.get().payload
    assert payload == {
        "type": "message.posted",
        "timestamp": stamp(now),
        "data": {
            "center": "acme",
            "chat": {
                "id": str(held.chat.pk),
                "state": "active",
                "subject": "Shoes",
                "language": "de",
                "team": {"id": str(acme.support.pk), "key": "support", "name": "Support"},
                "channel": {"id": str(acme.channel.pk), "kind": "web", "name": "Website"},
                "customer": {"id": str(held.chat.customer_id), "external_id": "C-1"},
                "agent_id": str(ann.pk),
                "external_id": "T-7",
                "started_at": stamp(held.chat.started_at),
                "closed_at": None,
                "close_reason": "",
            },
            "event": event_for_staff(event),
        },
    }
    assert json.loads(encode(payload)) == payload


def test_every_event_that_can_happen_can_be_told(acme, ann, now):
    webhook = make_webhook(acme)
    chat = make_held_chat(acme, ann, now).chat
    records = [
        Record(chat, Event(chat=chat, position=number, type=kind.type, at=now, sender_kind="system"))
        for number, kind in enumerate(all_event_types(), 100)
    ]
    filed = ours.speak([webhook], records)
    assert [call.event for call in filed] == [kind.type for kind in all_event_types()]
    assert all(call.chat_id == chat.pk and call.webhook is webhook for call in filed)


def test_two_hooks_cost_as_many_queries_as_one(acme, ann, now, django_assert_num_queries):
    held = make_held_chat(acme, ann, now)
    record = Record(held.chat, Event(chat=held.chat, position=9, type="message.posted", at=now))
    for _ in range(2):
        make_webhook(acme)
    hooks = live_webhooks([acme.center.pk])
    with django_assert_num_queries(1):
        assert len(ours.speak(hooks, [record, record])) == 4


@cases(
    ("patterns", "fits"),
    [
        (["message.posted"], True),
        (["message.*"], True),
        (["*"], True),
        (["chat.*", "message.posted"], True),
        (["message"], False),
        (["message.read"], False),
        (["*.posted"], False),
        ([], False),
    ],
)
def test_patterns(patterns, fits):
    assert ours.fits(patterns, "message.posted") is fits
