"""What became of a call."""

from datetime import timedelta

import pytest

from chats.models import Attempt, Delivery, Webhook
from chats.outbox import settle
from chats.outbox.batches import calls
from chats.outbox.lanes import LEASE
from chats.outbox.schedule import PATIENCE
from chats.outbox.sending import Answer
from chats.outbox.settle import WANTS_NO_MORE, Outcome, give_up_unwanted, note
from contactcenter.models import AuditEntry
from tests.cases import cases
from tests.chats.outbox.conftest import make_delivery, make_webhook
from tests.conftest import make_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]
OK, BROKEN, GONE, SILENT = (
    Answer(status=200, body=b"thanks"),
    Answer(status=500, body=b"<b>oh</b>"),
    Answer(status=410),
    Answer(error="No answer within 10 seconds."),
)


@pytest.fixture
def claimed(acme, now):
    chat = make_chat(acme, now).chat
    return calls.claim([make_delivery(make_webhook(acme), now, chat).number], now)[0]


def outcome(delivery, answer, at):
    return Outcome(delivery=delivery, at=at, milliseconds=12, answer=answer)


def fresh(delivery):
    return Delivery.objects.get(pk=delivery.pk)


def test_an_answer_of_2xx_is_the_end(claimed, now):
    note([outcome(claimed, OK, now)], now)
    row = fresh(claimed)
    assert (row.sent_at, row.failed_at, row.leased_until, row.attempts_made, row.error) == (now, None, None, 1, "")
    attempt = Attempt.objects.get()
    assert (attempt.center_id, attempt.delivery_id, attempt.at) == (row.center_id, row.id, now)
    assert (attempt.status, attempt.milliseconds, attempt.error, attempt.body) == (200, 12, "", "thanks")


@cases(
    ("answer", "error", "status"),
    [
        (BROKEN, "Answered 500.", 500),
        (SILENT, "No answer within 10 seconds.", None),
        (Answer(status=302), "Answered 302.", 302),
        (Answer(status=404), "Answered 404.", 404),
    ],
)
def test_anything_else_is_tried_again_later(claimed, now, answer, error, status):
    (row,) = note([outcome(claimed, answer, now)], now)
    assert row == fresh(claimed)
    assert (row.sent_at, row.failed_at, row.leased_until, row.attempts_made) == (None, None, None, 1)
    assert now + timedelta(seconds=1) <= fresh(claimed).due_at <= now + timedelta(seconds=2)
    assert (row.error, Attempt.objects.get().status) == (error, status)


def test_after_three_days_it_is_given_up(claimed, now):
    Delivery.objects.update(attempts_made=30)
    later = now + PATIENCE
    note([outcome(claimed, BROKEN, later)], later)
    row = fresh(claimed)
    assert (row.failed_at, row.sent_at, row.attempts_made, row.error) == (later, None, 31, "Answered 500.")
    assert not Delivery.objects.pending().exists()


def test_410_switches_the_hook_off(claimed, now):
    make_delivery(claimed.webhook, now)
    note([outcome(claimed, GONE, now)], now)
    assert fresh(claimed).failed_at == now
    webhook = Webhook.objects.get()
    assert (webhook.disabled_at, webhook.disabled_reason) == (now, WANTS_NO_MORE)
    assert not Webhook.objects.live().exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.center_id) == ("web hook switched off", "its receiver", webhook.center_id)
    assert give_up_unwanted(now) == 1
    assert not Delivery.objects.pending().exists()
    assert set(Delivery.objects.values_list("error", flat=True)) == {"Answered 410.", WANTS_NO_MORE}


def test_a_hook_that_was_moved_meanwhile_is_not_switched_off(claimed, now):
    Webhook.objects.update(url="http://127.0.0.1:9/new")
    note([outcome(claimed, GONE, now)], now)
    assert Webhook.objects.live().exists()


def test_what_waits_for_a_hook_that_is_off_is_given_up_in_bounded_steps(acme, now, monkeypatch):
    monkeypatch.setattr(settle, "AT_ONCE", 2)
    off, on = make_webhook(acme, disabled_at=now), make_webhook(acme)
    for _ in range(3):
        make_delivery(off, now)
    waiting = make_delivery(on, now)
    assert [give_up_unwanted(now) for _ in range(3)] == [2, 1, 0]
    assert Delivery.objects.pending().get() == waiting


def test_who_outlived_its_lease_changes_nothing_but_the_attempts(claimed, now):
    (again,) = calls.claim([claimed.number], now + LEASE)
    assert note([outcome(claimed, BROKEN, now)], now + LEASE) == []
    row = fresh(claimed)
    assert (row.leased_until, row.attempts_made, row.sent_at) == (again.leased_until, 0, None)
    assert Attempt.objects.count() == 1
    note([outcome(again, OK, now)], now + LEASE)
    assert fresh(claimed).sent_at is not None
    assert note([outcome(claimed, BROKEN, now)], now + LEASE) == []
    assert fresh(claimed).sent_at is not None
    assert Attempt.objects.count() == 3


def test_what_arrived_has_arrived_even_if_it_was_given_up_meanwhile(claimed, now):
    Delivery.objects.update(failed_at=now, error=WANTS_NO_MORE)
    note([outcome(claimed, OK, now)], now)
    assert (fresh(claimed).sent_at, fresh(claimed).failed_at) == (now, None)


def test_what_was_given_up_meanwhile_and_fails_stays_so(claimed, now):
    Delivery.objects.update(failed_at=now)
    note([outcome(claimed, BROKEN, now)], now + timedelta(seconds=9))
    assert (fresh(claimed).failed_at, fresh(claimed).leased_until) == (now, None)


def test_a_delivery_that_was_erased_meanwhile_stops_nobody(acme, claimed, now):
    (other,) = calls.claim([make_delivery(make_webhook(acme), now).number], now)
    Delivery.objects.filter(pk=claimed.pk).delete()
    assert note([outcome(claimed, OK, now), outcome(other, OK, now)], now) == [other]
    assert Attempt.objects.get().delivery_id == other.id


def test_an_answer_keeps_no_more_than_its_beginning(claimed, now):
    note([outcome(claimed, Answer(status=500, body=b"\0" + b"\xc3" * 99_999), now)], now)
    body = Attempt.objects.get().body
    assert len(body) == 4096
    assert "\0" not in body
