"""The courier with a real receiver and a real database."""

import threading

import pytest

from chats.models import Attempt
from tests.chats.outbox.conftest import make_delivery, make_webhook
from tests.conftest import make_chat

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


def settle(courier):
    """Until nothing is under way any more."""
    assert courier.stop(20)


def test_what_is_due_arrives_and_is_noted(acme, receiver, courier, now):
    chat = make_chat(acme, now).chat
    webhook = make_webhook(acme, receiver.url)
    delivery = make_delivery(webhook, now, chat)
    courier.poke(webhook.pk)
    (call,) = receiver.wait_for(1)
    settle(courier)
    delivery.refresh_from_db()
    assert (call.id, call.json) == (str(delivery.id), {"type": "message.posted"})
    assert delivery.sent_at is not None
    assert (delivery.attempts_made, delivery.leased_until, delivery.failed_at, delivery.error) == (1, None, None, "")
    attempt = Attempt.objects.get()
    assert (attempt.delivery_id, attempt.status, attempt.error) == (delivery.id, 200, "")


def test_calls_about_one_chat_arrive_in_order_and_never_two_at_once(acme, receiver, courier, now):
    chats = [make_chat(acme, now).chat for _ in range(3)]
    webhook = make_webhook(acme, receiver.url)
    for number in range(30):
        make_delivery(webhook, now, chats[number % 3], payload={"chat": number % 3, "number": number})
    busy, clashes, lock = set(), [], threading.Lock()

    def answer(call):
        chat = call.json["chat"]
        with lock:
            if chat in busy:
                clashes.append(chat)
            busy.add(chat)
        with lock:
            busy.discard(chat)
        return 200

    receiver.answer = answer
    courier.poke(webhook.pk)
    calls = receiver.wait_for(30)
    for chat in range(3):
        numbers = [call.json["number"] for call in calls if call.json["chat"] == chat]
        assert numbers == sorted(numbers)
    assert not clashes
    assert len({call.id for call in calls}) == 30
