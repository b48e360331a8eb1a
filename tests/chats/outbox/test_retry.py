"""'Try again'."""

from datetime import timedelta

import pytest

from chats import due
from chats.errors import Conflict
from chats.models import Delivery, Webhook
from chats.outbox import retry as retrying
from chats.outbox.batches import calls
from chats.outbox.retry import retry, retry_all
from tests.cases import cases
from tests.chats.outbox.conftest import make_delivery, make_webhook
from tests.conftest import make_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def woken():
    found = []

    def hear(task, id, **_):
        found.append((task, id))

    due.work_due.connect(hear)
    yield found
    due.work_due.disconnect(hear)


def test_one_that_was_given_up_is_due_now_with_its_old_id(acme, now, woken, django_capture_on_commit_callbacks):
    webhook = make_webhook(acme)
    dead = make_delivery(webhook, now, failed_at=now, attempts_made=31, error="Answered 500.")
    later = now + timedelta(days=9)
    with django_capture_on_commit_callbacks(execute=True):
        retry(dead, later)
    row = Delivery.objects.get()
    assert (row.id, row.number) == (dead.id, dead.number)
    assert (row.failed_at, row.due_at, row.attempts_made) == (None, later, 0)
    assert woken == [("deliver", webhook.pk)]


def test_one_that_waits_need_not_wait(acme, now):
    waiting = make_delivery(make_webhook(acme), now, due_at=now + timedelta(hours=6), attempts_made=20)
    retry(waiting, now)
    assert Delivery.objects.get().due_at == now


def test_what_has_arrived_is_not_sent_again(acme, now):
    sent = make_delivery(make_webhook(acme), now, sent_at=now)
    with pytest.raises(Conflict, match="arrived"):
        retry(sent, now)
    assert not Delivery.objects.pending().exists()


@cases("off", [{"is_active": False}, {"disabled_at": "2026-01-01T00:00Z"}, {"verified_at": None}])
def test_nothing_is_tried_again_at_a_hook_that_is_off(acme, now, off):
    webhook = make_webhook(acme)
    dead = make_delivery(webhook, now, failed_at=now)
    Webhook.objects.update(**off)
    with pytest.raises(Conflict, match="off"):
        retry(dead, now)
    with pytest.raises(Conflict, match="off"):
        retry_all(webhook, now)
    assert not Delivery.objects.pending().exists()


def test_all_of_one_hook_in_their_order(acme, now, monkeypatch, woken, django_capture_on_commit_callbacks):
    monkeypatch.setattr(retrying, "AT_ONCE", 2)
    chats = [make_chat(acme, now).chat for _ in range(2)]
    webhook, other = make_webhook(acme), make_webhook(acme)
    dead = [make_delivery(webhook, now, chats[n % 2], failed_at=now) for n in range(5)]
    make_delivery(webhook, now, chats[0], sent_at=now)
    of_another = make_delivery(other, now, chats[0], failed_at=now)
    with django_capture_on_commit_callbacks(execute=True):
        assert retry_all(webhook, now) == 5
    assert calls.scan(webhook.pk, now) == [dead[0].number, dead[1].number]
    assert Delivery.objects.get(failed_at__isnull=False) == of_another
    assert woken == [("deliver", webhook.pk)]
    assert retry_all(make_webhook(acme), now) == 0
