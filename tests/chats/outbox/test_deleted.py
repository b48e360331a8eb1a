"""Rows of deleted web hooks: kept while somebody may still file for them, then erased a bounded number at a time."""

from datetime import timedelta

import pytest

from chats.actions.hooks import add_webhook, delete_webhook
from chats.models import Attempt, Delivery, Webhook
from chats.outbox import retention
from contactcenter.models import Application
from tests.conftest import make_chat

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(acme):
    return Application.objects.create(center=acme.center, name="Shop")


def add(shop, now, name):
    return add_webhook(shop, url=f"https://{name}.example.com/", events=["*"], now=now)


def file(webhook, now, chat=None):
    delivery = Delivery.objects.create(center_id=webhook.center_id, webhook=webhook, chat=chat, event="chat.started")
    Attempt.objects.create(center_id=webhook.center_id, delivery=delivery, at=now, milliseconds=1, status=500)
    return delivery


def test_rows_stay_for_an_hour(shop, now):
    webhook = add(shop, now, "ended")
    file(webhook, now)
    delete_webhook(webhook, now=now)
    assert retention.erase_deleted(now + HOUR / 2) == 0
    assert Webhook.objects.exists()
    assert Delivery.objects.exists()


@pytest.mark.both
def test_then_they_go_with_deliveries_and_attempts_and_nothing_else_does(acme, shop, now):
    chat = make_chat(acme, now).chat
    ended, kept = add(shop, now, "ended"), add(shop, now, "kept")
    for webhook in (ended, kept):
        file(webhook, now, chat)
    delete_webhook(ended, now=now)
    assert retention.tidy(now + HOUR) == 1
    assert retention.tidy(now + HOUR) == 0
    assert [row.webhook_id for row in Delivery.objects.all()] == [kept.pk]
    assert Attempt.objects.get().delivery.webhook == kept
    assert Webhook.objects.get() == kept


def test_many_rows_are_erased_in_several_runs(shop, now, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "MOST_BATCHES", 2)
    webhook = add(shop, now, "ended")
    for _each in range(5):
        file(webhook, now)
    delete_webhook(webhook, now=now)
    assert retention.erase_deleted(now + HOUR) == 4
    assert Webhook.objects.exists()
    assert retention.erase_deleted(now + HOUR) == 1
    assert not Webhook.objects.exists()
