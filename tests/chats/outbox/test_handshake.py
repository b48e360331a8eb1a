"""Shaking hands: the secret must come back."""

import pytest

from chats.models import Webhook
from chats.outbox.handshake import HandshakeFailed, shake_hands
from tests.cases import cases
from tests.chats.outbox.conftest import make_registration, make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def foreign(acme, receiver):
    registration = make_registration(acme)
    return make_webhook(
        acme, receiver.url, application=registration.application, registration=registration, verified_at=None
    )


def echo(call):
    return 200, {"X-Hook-Secret": call.headers["x-hook-secret"]}, b""


def test_who_says_the_secret_back_is_verified(foreign, receiver, now):
    receiver.answer = echo
    shake_hands(foreign, now)
    assert Webhook.objects.get().verified_at == foreign.verified_at == now
    assert Webhook.objects.live().get() == foreign
    (call,) = receiver.calls
    assert call.headers["x-hook-secret"] == foreign.secret
    assert call.json == {
        "trigger": "webhooks:handshake",
        "appId": foreign.registration.foreign_id,
        "created_at": int(now.timestamp()),
    }


@cases(
    ("answer", "why"),
    [
        (lambda call: 200, "did not send X-Hook-Secret back"),
        (lambda call: (200, {"X-Hook-Secret": "guessed"}, b""), "did not send X-Hook-Secret back"),
        (lambda call: (200, {"X-Hook-Secret": "\xff"}, b""), "did not send X-Hook-Secret back"),
        (lambda call: (200, {"X-Hook-Secret": call.headers["x-hook-secret"] + "x"}, b""), "did not send"),
        (lambda call: (500, *echo(call)[1:]), "answered 500 instead of 200"),
        (lambda call: (204, *echo(call)[1:]), "answered 204 instead of 200"),
        (lambda call: (302, echo(call)[1] | {"Location": "/"}, b""), "answered 302 instead of 200"),
    ],
)
def test_anything_else_is_no_handshake(foreign, receiver, now, answer, why):
    receiver.answer = answer
    with pytest.raises(HandshakeFailed, match=why):
        shake_hands(foreign, now)
    assert Webhook.objects.get().verified_at is None
    assert foreign.verified_at is None


def test_nobody_shakes_hands_inside_the_house(foreign, receiver, now, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(HandshakeFailed, match="network that is not called"):
        shake_hands(foreign, now)
    assert not receiver.calls


def test_an_address_that_was_changed_meanwhile_is_not_verified_by_the_old_one(foreign, receiver, now):
    receiver.answer = echo
    Webhook.objects.update(url="http://127.0.0.1:9/new")
    with pytest.raises(HandshakeFailed, match="changed meanwhile"):
        shake_hands(foreign, now)
    assert Webhook.objects.get().verified_at is None


def test_our_own_words_need_no_handshake(acme, receiver, now):
    webhook = make_webhook(acme, receiver.url)
    shake_hands(webhook, now)
    assert not receiver.calls
