"""Which calls may be made now."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from chats.models import Chat, Delivery, Webhook
from chats.outbox import lanes
from chats.outbox.batches import calls
from chats.outbox.lanes import LEASE
from tests.cases import cases
from tests.chats.outbox.conftest import make_delivery, make_webhook
from tests.conftest import make_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def chats(acme, now):
    """Three, from before there were web hooks."""
    return [make_chat(acme, now).chat for _ in range(3)]


def numbers(rows):
    return [row.number for row in rows]


def test_of_each_chat_only_the_oldest_may_go(acme, chats, now):
    webhook = make_webhook(acme)
    rows = [make_delivery(webhook, now, chats[n % 3]) for n in range(9)]
    assert calls.scan(webhook.pk, now) == numbers(rows[:3])
    assert numbers(calls.claim(numbers(rows), now)) == numbers(rows[:3])


def test_a_head_that_waits_for_its_next_attempt_holds_back_its_chat_and_no_other(acme, chats, now):
    webhook, other = make_webhook(acme), make_webhook(acme)
    head = make_delivery(webhook, now, chats[0], due_at=now + timedelta(hours=1), attempts_made=9)
    make_delivery(webhook, now, chats[0])
    of_another_chat = make_delivery(webhook, now, chats[1])
    at_another_address = make_delivery(other, now, chats[0])
    assert calls.scan(webhook.pk, now) == [of_another_chat.number]
    assert calls.scan(other.pk, now) == [at_another_address.number]
    assert calls.scan(webhook.pk, now + timedelta(hours=2))[0] in (of_another_chat.number, head.number)
    assert set(calls.scan(webhook.pk, now + timedelta(hours=2))) == {of_another_chat.number, head.number}


@cases("end", ["sent_at", "failed_at"])
def test_a_head_that_was_sent_or_given_up_lets_the_next_one_go(acme, chats, now, end):
    webhook = make_webhook(acme)
    make_delivery(webhook, now, chats[0], **{end: now})
    second = make_delivery(webhook, now, chats[0])
    assert calls.scan(webhook.pk, now) == [second.number]


def test_calls_without_a_chat_do_not_wait_for_each_other(acme, now):
    webhook = make_webhook(acme)
    rows = [make_delivery(webhook, now) for _ in range(3)]
    assert calls.scan(webhook.pk, now) == numbers(rows)
    assert numbers(calls.claim(numbers(rows), now)) == numbers(rows)
    assert calls.following(rows) == []


def test_what_is_claimed_is_nobody_elses_until_the_lease_is_over(acme, chats, now):
    webhook = make_webhook(acme)
    first = make_delivery(webhook, now, chats[0])
    make_delivery(webhook, now, chats[0])
    (claimed,) = calls.claim([first.number], now)
    assert claimed.leased_until == now + LEASE
    assert calls.claim([first.number], now) == []
    assert calls.scan(webhook.pk, now) == []
    assert calls.claim([first.number], now + LEASE - timedelta(seconds=1)) == []
    assert calls.scan(webhook.pk, now + LEASE) == [first.number]
    (again,) = calls.claim([first.number], now + LEASE)
    assert again.id == first.id


def test_a_claim_needs_nothing_more_of_the_database(acme, chats, now, django_assert_num_queries):
    webhook = make_webhook(acme)
    (row,) = calls.claim([make_delivery(webhook, now, chats[0]).number], now)
    with django_assert_num_queries(0):
        assert (row.webhook.url, row.webhook.registration) == (webhook.url, None)
        assert row.webhook.live_secrets(now) == [webhook.secret]


@cases(
    "off",
    [{"is_active": False}, {"disabled_at": "2026-01-01T00:00Z"}, {"verified_at": None}, {"application__is_active": 0}],
)
def test_nothing_is_sent_for_a_hook_that_is_off(acme, chats, now, off):
    webhook = make_webhook(acme)
    row = make_delivery(webhook, now, chats[0])
    if "application__is_active" in off:
        type(webhook.application).objects.update(is_active=False)
    else:
        Webhook.objects.update(**off)
    assert calls.due_targets(now) == []
    assert calls.claim([row.number], now) == []


def test_hooks_for_which_something_is_due(acme, globex, chats, now):
    due, later, done, none = (make_webhook(acme) for _ in range(4))
    make_delivery(due, now, chats[0])
    make_delivery(later, now, chats[0], due_at=now + timedelta(seconds=1))
    make_delivery(done, now, chats[0], sent_at=now)
    assert calls.due_targets(now) == [due.pk]
    assert set(calls.due_targets(now + timedelta(seconds=1))) == {due.pk, later.pk}
    assert calls.scan(none.pk, now) == []


def test_the_next_of_each_lane(acme, chats, now):
    one, two = make_webhook(acme), make_webhook(acme)
    first = make_delivery(one, now, chats[0], sent_at=now)
    other = make_delivery(two, now, chats[1], failed_at=now)
    second = make_delivery(one, now, chats[0])
    make_delivery(one, now, chats[0])
    make_delivery(one, now, chats[1])
    third = make_delivery(two, now, chats[1])
    make_delivery(two, now, chats[0])
    assert set(calls.following([first, other])) == {(one.pk, second.number), (two.pk, third.number)}
    assert calls.following([]) == []


def test_the_walk_along_the_index_finds_what_the_rule_says(acme, chats, now):
    """`heads` asks each row for itself; `scan` must come to the same."""
    webhook = make_webhook(acme)
    for number in range(60):
        make_delivery(
            webhook,
            now,
            [*chats, None][number % 4],
            due_at=now + timedelta(seconds=number * 7 % 5 - 3),
            sent_at=now if number % 11 == 0 else None,
            failed_at=now if number % 13 == 1 else None,
            leased_until=now + timedelta(seconds=number % 3 - 1) if number % 5 == 0 else None,
        )
    for seconds in range(-5, 5):
        at = now + timedelta(seconds=seconds)
        assert set(calls.scan(webhook.pk, at)) == set(numbers(Delivery.objects.heads(at).filter(webhook=webhook)))


def test_one_scan_finds_a_bounded_number_longest_due_first(acme, now, monkeypatch):
    monkeypatch.setattr(lanes, "SCANNED", 3)
    webhook = make_webhook(acme)
    rows = [make_delivery(webhook, now, due_at=now - timedelta(seconds=n)) for n in range(5)]
    assert calls.scan(webhook.pk, now) == numbers(rows[:1:-1])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_several_couriers_one_gets_each_call(acme, now):
    with transaction.atomic():
        chats = [make_chat(acme, now).chat for _ in range(20)]
    webhook = make_webhook(acme)
    wanted = numbers([make_delivery(webhook, now, chat) for chat in Chat.objects.filter(pk__in=[c.pk for c in chats])])
    results, gate = [], threading.Barrier(4)

    def work():
        try:
            gate.wait()
            for _ in range(5):
                results.extend(numbers(calls.claim(wanted, now)))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == wanted
