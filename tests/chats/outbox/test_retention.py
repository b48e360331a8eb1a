"""What is thrown away, and when."""

from datetime import timedelta

import pytest

from chats.models import Attempt, Delivery
from chats.outbox import retention
from chats.outbox.retention import OFF_TOO_LONG, tidy
from tests.chats.outbox.conftest import make_delivery, make_webhook

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def attempt(delivery, at):
    return Attempt.objects.create(center_id=delivery.center_id, delivery=delivery, at=at, milliseconds=1)


def filed(webhook, now, days, **fields):
    at = now - timedelta(days=days)
    row = make_delivery(webhook, now, filed_at=at, **{name: at for name in fields if fields[name]})
    attempt(row, at)
    return row


def test_what_was_sent_stays_a_month_and_what_was_given_up_three(acme, now):
    webhook = make_webhook(acme)
    kept = [
        filed(webhook, now, 29, sent_at=True),
        filed(webhook, now, 31, failed_at=True),
        filed(webhook, now, 89, failed_at=True),
        filed(webhook, now, 100),  # still pending: its hook is on
    ]
    filed(webhook, now, 30, sent_at=True)
    filed(webhook, now, 90, failed_at=True)
    assert tidy(now) == 2
    assert set(Delivery.objects.all()) == set(kept)
    assert set(Attempt.objects.values_list("delivery_id", flat=True)) == {row.id for row in kept}
    assert tidy(now) == 0


def test_one_run_takes_a_bounded_number(acme, now, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "MOST_BATCHES", 2)
    webhook = make_webhook(acme)
    for _ in range(7):
        filed(webhook, now, 40, sent_at=True)
    assert [tidy(now) for _ in range(3)] == [4, 3, 0]


def test_what_waits_for_a_hook_that_is_off_is_given_up_after_three_days(acme, now):
    off, on = make_webhook(acme, is_active=False), make_webhook(acme)
    old, new, other = filed(off, now, 3), filed(off, now, 2), filed(on, now, 3)
    tidy(now)
    assert set(Delivery.objects.pending()) == {new, other}
    old.refresh_from_db()
    assert (old.failed_at, old.error) == (now, OFF_TOO_LONG)
