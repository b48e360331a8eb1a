"""Calls as the Chat API's receivers expect them: how they are signed, what each answer means, and when they come again."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from chats.models import Attempt, Delivery, Webhook
from chats.outbox import schedule
from chats.outbox.batches import calls
from chats.outbox.schedule import COMAPI_FAIR_ATTEMPTS, COMAPI_PATIENCE, COMAPI_WAITS, next_comapi_attempt
from chats.outbox.sending import Answer
from chats.outbox.settle import Outcome, note
from chats.outbox.signing import comapi, encode, headers_of
from contactcenter.models.ids import new_id
from tests.cases import cases
from tests.chats.outbox.conftest import make_delivery
from tests.chats.outbox.test_batches import make_batching
from tests.conftest import make_chat

pytestmark = pytest.mark.django_db
both = pytest.mark.both
BODY = {"eventId": "e", "name": "chat.create", "payload": {"name": "Grüße 👋"}}


def make_hook(place, url="http://127.0.0.1:9/hook"):
    return make_batching(place, url, batch=False)


def answered(webhook, answer, now):
    (claimed,) = calls.claim([make_delivery(webhook, now).number], now)
    note([Outcome(delivery=claimed, at=now, milliseconds=1, answer=answer)], now)
    return Delivery.objects.get(pk=claimed.pk)


# Signatures -----------------------------------------------------------------------------------------------------------


def test_the_signature_is_the_sha_1_hmac_of_the_raw_body_in_hex(acme, now):
    webhook, body = make_hook(acme), encode(BODY)
    expected = hmac.new(b"s" * 16, body, hashlib.sha1).hexdigest()
    name = new_id()
    assert headers_of(webhook, name, body, now) == {"webhook-id": str(name), "X-Comapi-Signature": expected}
    webhook.renew_secret(now)
    anew = hmac.new(webhook.secret.encode(), body, hashlib.sha1).hexdigest()
    assert headers_of(webhook, name, body, now)["X-Comapi-Signature"] == anew


def test_the_documented_example_of_a_signature(now):
    """RFC 2202, test case 2."""
    found = comapi(["Jefe"], new_id(), b"what do ya want for nothing?", now)
    assert found == {"X-Comapi-Signature": "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}


def test_without_a_secret_there_is_no_signature(acme, now):
    webhook = make_hook(acme)
    webhook.secret = ""
    assert set(headers_of(webhook, new_id(), b"{}", now)) == {"webhook-id"}


# Answers --------------------------------------------------------------------------------------------------------------


@both
def test_400_drops_a_call_at_once_and_nothing_else(acme, now):
    webhook = make_hook(acme)
    row = answered(webhook, Answer(status=400), now)
    assert (row.failed_at, row.error, row.attempts_made) == (now, "Answered 400.", 1)
    assert Webhook.objects.live().get() == webhook
    assert Attempt.objects.get().status == 400


@both
@cases("answer", [Answer(status=code) for code in (301, 401, 404, 410, 429, 500)] + [Answer(error="No answer.")])
def test_anything_else_is_tried_again_and_410_switches_nothing_off(acme, now, answer):
    row = answered(make_hook(acme), answer, now)
    assert (row.failed_at, row.sent_at) == (None, None)
    assert now + timedelta(seconds=5) <= row.due_at <= now + timedelta(seconds=6)
    assert Webhook.objects.live().exists()


# Waits ----------------------------------------------------------------------------------------------------------------


def test_there_are_seventeen_waits_of_a_day_in_all():
    minutes, hours = 60, 3600
    assert (
        5, 5, 30, 30, minutes, 2 * minutes, 5 * minutes, 10 * minutes, 15 * minutes, 30 * minutes, hours, 2 * hours,
        *[4 * hours] * 5,
    ) == COMAPI_WAITS  # fmt: skip
    assert len(COMAPI_WAITS) == 17


def test_after_the_last_wait_it_is_given_up(now, monkeypatch):
    monkeypatch.setattr(schedule, "COMAPI_JITTER", 0)
    at, waits = now, []
    while again := next_comapi_attempt(len(waits) + 1, now, at):
        waits.append((again - at).total_seconds())
        at = again + timedelta(seconds=10)  # each takes as long as it may
    assert tuple(waits) == COMAPI_WAITS


def test_what_was_held_back_for_days_gets_a_few_attempts_all_the_same(now):
    filed_at, tries = now - COMAPI_PATIENCE - timedelta(seconds=1), 1
    while next_comapi_attempt(tries, filed_at, now):
        tries += 1
    assert tries == COMAPI_FAIR_ATTEMPTS + 1


# With a real receiver -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@both
def test_a_repeat_is_the_same_call_signed_the_same_and_the_next_of_its_chat_waits(
    acme, receiver, courier, now, monkeypatch
):
    monkeypatch.setattr(schedule, "COMAPI_WAITS", (0.001,) * 17)
    monkeypatch.setattr(schedule, "COMAPI_JITTER", 0)
    chat = make_chat(acme, now).chat
    webhook = make_hook(acme, receiver.url)
    for n in range(2):
        make_delivery(webhook, now, chat, payload={**BODY, "eventId": n})
    answers = iter([500, 410, 200, 400])
    receiver.answer = lambda call: next(answers)
    courier.poke(webhook.pk)
    found = receiver.wait_for(4)
    assert courier.stop(20)
    assert [call.json["eventId"] for call in found] == [0, 0, 0, 1]
    assert len({(call.body, call.headers["x-comapi-signature"]) for call in found[:3]}) == 1
    expected = hmac.new(b"s" * 16, found[0].body, hashlib.sha1).hexdigest()
    assert found[0].headers["x-comapi-signature"] == expected
    assert [row.state for row in Delivery.objects.order_by("number")] == ["sent", "failed"]


@pytest.mark.django_db(transaction=True)
@both
def test_the_signature_of_a_batch_is_over_the_array(acme, receiver, courier, now):
    webhook = make_batching(acme, receiver.url)
    for n in range(3):
        make_delivery(webhook, now, payload={**BODY, "eventId": n}, due_at=now + timedelta(hours=1))
    courier.poke(webhook.pk)
    (call,) = receiver.wait_for(1)
    assert [one["eventId"] for one in call.json] == [0, 1, 2]
    assert call.headers["x-comapi-signature"] == hmac.new(b"s" * 16, call.body, hashlib.sha1).hexdigest()
