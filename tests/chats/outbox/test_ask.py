"""Asking: an answer in time, or none."""

import hashlib
import hmac
import threading

import pytest

from chats.models import Attempt, Delivery
from chats.outbox.ask import ask
from tests.cases import cases
from tests.chats.outbox.conftest import make_registration, make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.both]
PAYLOAD = {"trigger": "chats:assign", "appId": "a", "data": {"chatId": "c"}, "created_at": 1}


@pytest.fixture
def foreign(acme, receiver):
    registration = make_registration(acme)
    return make_webhook(acme, receiver.url, application=registration.application, registration=registration)


def test_the_answer_is_what_the_target_says(foreign, receiver):
    receiver.answer = lambda call: (200, {}, b'{"agent": "7"}')
    assert ask(foreign, "chats:assign", PAYLOAD) == {"agent": "7"}
    (call,) = receiver.calls
    assert call.json == PAYLOAD
    expected = hmac.new(foreign.secret.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-hook-signature"] == expected
    assert call.id
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()


@cases(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b"agent 7"),
        (200, {}, b"[" * 60_000),
        (200, {}, b"\xff\xfe"),
        (200, {}, b'{"agent": "' + b"x" * 100_000 + b'"}'),
        (404, {}, b'{"agent": "7"}'),
        (302, {"Location": "/other"}, b'{"agent": "7"}'),
    ],
)
def test_anything_else_is_no_answer(foreign, receiver, answer):
    receiver.answer = lambda call: answer
    assert ask(foreign, "chats:assign", PAYLOAD) is None


def test_who_takes_too_long_was_asked_in_vain(foreign, receiver):
    hold = threading.Event()
    receiver.answer = lambda call: (hold.wait(20) and 200) or 200
    assert ask(foreign, "chats:assign", PAYLOAD, timeout=0.2) is None
    hold.set()


def test_nobody_is_asked_inside_the_house(foreign, receiver, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert ask(foreign, "chats:assign", PAYLOAD) is None
    assert not receiver.calls
