"""Several calls in one: when, which, in which order, and what becomes of them."""

import os
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from chats.models import Attempt, Delivery, Webhook
from chats.outbox import schedule
from chats.outbox.batches import calls, wait_of
from chats.outbox.calling import Calls
from chats.outbox.courier import Courier
from chats.outbox.filing import Filed, file
from chats.outbox.lanes import LEASE
from chats.outbox.retry import retry_all
from chats.outbox.sending import Answer
from chats.outbox.settle import Outcome, note
from contactcenter.models import Registration
from tests.chats.outbox.conftest import make_application, make_delivery, make_webhook
from tests.conftest import make_chat

from .test_courier import KILLED

pytestmark = pytest.mark.django_db
both = pytest.mark.both
SIZE, WAIT = 3, timedelta(seconds=30)
OK, BROKEN, REFUSED = Answer(status=200), Answer(status=500), Answer(status=400)


@pytest.fixture
def chats(acme, now):
    """Three, from before there were web hooks."""
    with transaction.atomic():
        return [make_chat(acme, now).chat for _ in range(3)]


def make_batching(place, url="http://127.0.0.1:9/hook", size=SIZE, seconds=30, **facts):
    application = make_application(place)
    registration = Registration.objects.create(
        center=place.center,
        application=application,
        channel=place.channel,
        protocol=Registration.Protocol.COMAPI,
    )
    facts = {"batch": True, "maxBatchSize": size, "batchTimeout": seconds} | facts
    return make_webhook(place, url, application=application, registration=registration, facts=facts, secret="s" * 16)


@pytest.fixture
def webhook(acme, chats):
    return make_batching(acme)


def fill(webhook, now, *chats):
    """One delivery for each of these chats, filed now."""
    payload = [{"n": n, "chat": str(chat.pk) if chat else None} for n, chat in enumerate(chats)]
    return [
        make_delivery(webhook, now, chat, due_at=now + WAIT, payload=one)
        for chat, one in zip(chats, payload, strict=True)
    ]


def claim(webhook, at):
    """Numbers of each batch that may be sent."""
    return [batch(one) for one in calls.claim(calls.scan(webhook.pk, at), at)]


def batch(first):
    return [first.number, *(one.number for one in first.companions)]


def numbers(rows):
    return [row.number for row in rows]


def settle(webhook, answer, at):
    """Claim what may be sent and note this answer to all of it."""
    claimed = calls.claim(calls.scan(webhook.pk, at), at)
    note([Outcome(delivery=one, at=at, milliseconds=1, answer=answer) for one in claimed], at)
    return [batch(one) for one in claimed]


# When and which -------------------------------------------------------------------------------------------------------


@both
def test_what_is_filed_waits_for_the_batchs_time(webhook, chats, now):
    with transaction.atomic():
        file([Filed(webhook, chats[0].pk, "x", {})])
    row = Delivery.objects.get()
    assert timedelta(seconds=20) < row.due_at - row.filed_at < timedelta(seconds=40)
    assert wait_of(Webhook(facts={"batchTimeout": 60})) == timedelta(0)


@both
def test_fewer_than_fit_wait_until_one_of_them_is_due_and_then_go_together(webhook, chats, now):
    one, two = fill(webhook, now, chats[0], chats[1])
    assert claim(webhook, now) == []
    assert calls.next_due(webhook.pk, now) == (one.number, one.due_at)
    Delivery.objects.filter(pk=two.pk).update(due_at=now + 2 * WAIT)
    assert claim(webhook, now + WAIT) == [[one.number, two.number]]


@both
def test_as_many_as_fit_go_at_once_and_the_rest_waits(webhook, chats, now):
    rows = fill(webhook, now, *chats, None)
    assert claim(webhook, now) == [numbers(rows[:3])]
    assert claim(webhook, now) == []
    assert set(Delivery.objects.filter(leased_until=now + LEASE)) == set(rows[:3])
    assert calls.next_due(webhook.pk, now) == (rows[3].number, rows[3].due_at)


@both
def test_what_is_filed_without_a_chat_or_of_one_chat_alone_keeps_its_order_in_a_batch(webhook, chats, now):
    rows = fill(webhook, now, chats[0], None, chats[0])
    assert claim(webhook, now) == [numbers(rows)]


@both
def test_several_batches_may_be_ready_but_a_chat_is_in_one_of_them(webhook, chats, now):
    one, two, three = chats
    rows = fill(webhook, now, one, one, two, one, two, three, None, None, None, None)
    first, second = claim(webhook, now)
    assert first == numbers(rows[:3])
    # The fourth and the fifth wait behind their chats' first ones.
    assert second == [rows[5].number, rows[6].number, rows[7].number]


@both
def test_a_web_hook_without_batches_and_one_with_are_claimed_side_by_side(acme, webhook, chats, now):
    plain = make_delivery(make_webhook(acme), now, chats[0])
    rows = fill(webhook, now, *chats)
    found = calls.claim([plain.number, rows[0].number], now)
    assert [batch(one) for one in found] == [[plain.number], numbers(rows)]


@both
def test_a_batch_hook_that_is_off_is_not_called(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    Webhook.objects.update(is_active=False)
    assert claim(webhook, now) == []
    assert calls.claim(numbers(rows), now) == []


@both
def test_a_backlog_goes_in_full_batches(webhook, now):
    rows = fill(webhook, now, *[None] * 8)
    later = now + WAIT
    assert claim(webhook, later) == [numbers(rows[:3]), numbers(rows[3:6]), numbers(rows[6:])]


# What becomes of it ---------------------------------------------------------------------------------------------------


@both
def test_each_of_a_batch_has_its_attempt_and_its_end(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    settle(webhook, OK, now)
    assert Delivery.objects.filter(sent_at=now, attempts_made=1, leased_until=None).count() == 3
    assert set(Attempt.objects.values_list("delivery_id", "status")) == {(row.id, 200) for row in rows}
    assert calls.following(rows) == [(webhook.pk, None)]


@both
def test_a_batch_that_failed_comes_again_as_it_was_and_newer_ones_of_its_chats_wait(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    settle(webhook, BROKEN, now)
    held_back, free = fill(webhook, now, chats[0], None)
    later = now + WAIT
    again = Delivery.objects.get(pk=rows[0].pk)
    assert (again.attempts_made, again.error) == (1, "Answered 500.")
    assert now + timedelta(seconds=5) <= again.due_at <= now + timedelta(seconds=6)
    # Each of the three is due then, and nothing else goes with them.
    assert claim(webhook, now + timedelta(seconds=4)) == []
    assert sorted(claim(webhook, later)) == [numbers(rows), [free.number]]
    assert Delivery.objects.get(pk=held_back.pk).leased_until is None


@both
def test_two_batches_that_failed_at_the_same_moment_stay_two(webhook, now):
    rows = fill(webhook, now, *[None] * 6)
    settle(webhook, BROKEN, now)
    assert sorted(claim(webhook, now + WAIT)) == [numbers(rows[:3]), numbers(rows[3:])]


@both
def test_what_waits_behind_a_failed_batch_does_not_hide_others(webhook, chats, now):
    fill(webhook, now, chats[0])
    settle(webhook, BROKEN, now + WAIT)
    fill(webhook, now, *[chats[0]] * 40)
    others = fill(webhook, now, chats[1], chats[2], None)
    Delivery.objects.filter(attempts_made=1).update(due_at=now + 10 * WAIT)
    assert claim(webhook, now + 2 * WAIT) == [numbers(others)]


@both
def test_a_batch_that_is_refused_with_400_is_dropped_whole(webhook, chats, now):
    fill(webhook, now, *chats)
    settle(webhook, REFUSED, now)
    assert Delivery.objects.filter(failed_at=now, error="Answered 400.").count() == 3
    assert claim(webhook, now + 10 * WAIT) == []


@both
def test_a_batch_is_given_up_whole_after_its_last_attempt(webhook, chats, now):
    fill(webhook, now, *chats)
    at, tries = now, 0
    while Delivery.objects.pending().exists():
        at = max(at, *Delivery.objects.values_list("due_at", flat=True))
        assert len(settle(webhook, BROKEN, at)) == 1
        tries += 1
    assert tries == 1 + len(schedule.COMAPI_WAITS)
    assert Attempt.objects.count() == 3 * tries


@both
def test_try_again_makes_what_was_given_up_a_new_batch(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    settle(webhook, REFUSED, now)
    later = now + WAIT
    assert retry_all(webhook, later) == 3
    assert claim(webhook, later) == [numbers(rows)]


@both
def test_who_died_between_claim_and_note_is_followed_by_another(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    dead = calls.claim(calls.scan(webhook.pk, now), now)
    assert claim(webhook, now + LEASE - timedelta(seconds=1)) == []
    assert claim(webhook, now + LEASE) == [numbers(rows)]
    # It was not dead after all, only slow: its attempts are kept, the fate is the other's.
    assert note([Outcome(delivery=dead[0], at=now, milliseconds=1, answer=BROKEN)], now + LEASE) == []
    assert Attempt.objects.count() == 3
    assert Delivery.objects.filter(attempts_made=0, leased_until=now + 2 * LEASE).count() == 3


@both
def test_one_that_was_erased_meanwhile_stops_none_of_its_batch(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    (first,) = calls.claim(calls.scan(webhook.pk, now), now)
    Delivery.objects.filter(pk=rows[0].pk).delete()
    (told,) = note([Outcome(delivery=first, at=now, milliseconds=1, answer=OK)], now)
    assert told.number == rows[1].number
    assert Delivery.objects.filter(sent_at=now).count() == 2


@both
def test_switching_batches_off_lets_the_waiting_ones_go_one_by_one(webhook, chats, now):
    rows = fill(webhook, now, *chats)
    Webhook.objects.update(facts={"batch": False})
    assert [batch(one) for one in calls.claim(numbers(rows), now + WAIT)] == [[row.number] for row in rows]


# With a real receiver -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@both
def test_an_array_arrives_when_there_are_enough_and_when_time_is_over(acme, receiver, courier, now):
    webhook = make_batching(acme, receiver.url, seconds=1)
    with transaction.atomic():
        file([Filed(webhook, None, "x", {"n": n}) for n in range(4)])
    courier.poke(webhook.pk)
    # Of no chat: nothing orders them.
    first, second = sorted(receiver.wait_for(2), key=lambda call: call.json[0]["n"])
    assert first.json == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert second.json == [{"n": 3}]
    assert first.id == str(Delivery.objects.order_by("number").first().id)
    assert courier.stop(20)
    assert not Delivery.objects.pending().exists()


@pytest.mark.django_db(transaction=True)
@both
def test_every_one_arrives_in_its_chats_order_though_one_batch_in_three_fails(
    acme, chats, receiver, courier, now, monkeypatch
):
    monkeypatch.setattr(schedule, "COMAPI_WAITS", (0.001,) * 17)
    monkeypatch.setattr(schedule, "COMAPI_JITTER", 0.01)
    webhook = make_batching(acme, receiver.url, size=7, seconds=1)
    arrived, lock = defaultdict(list), threading.Lock()

    def answer(call):
        with lock:
            if len(receiver.calls) % 3 == 0:
                return 500
            for one in call.json:
                if one["n"] not in arrived[one["chat"]]:
                    arrived[one["chat"]].append(one["n"])
            return 200

    receiver.answer = answer
    for n in range(20):
        with transaction.atomic():
            file([Filed(webhook, chat.pk, "x", {"chat": str(chat.pk), "n": n}) for chat in chats])
        courier.poke(webhook.pk)
    with receiver.changed:
        done = receiver.changed.wait_for(lambda: sum(map(len, arrived.values())) == 60, 60)
    assert done, {key: len(value) for key, value in arrived.items()}
    assert courier.stop(20)
    assert all(found == list(range(20)) for found in arrived.values())
    assert max(len(call.json) for call in receiver.calls) <= 7


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_couriers_make_no_chat_overtake_itself(acme, chats, receiver, now):
    webhook = make_batching(acme, receiver.url, size=5, seconds=1)
    busy, clashes, order, lock = set(), [], defaultdict(list), threading.Lock()

    def answer(call):
        mine = {one["chat"] for one in call.json}
        with lock:
            clashes.extend(busy & mine)
            busy.update(mine)
            for one in call.json:
                order[one["chat"]].append(one["n"])
        threading.Event().wait(0.01)
        with lock:
            busy.difference_update(mine)
        return 200

    receiver.answer = answer
    couriers = [Courier(Calls(), seconds=5) for _ in range(3)]
    for n in range(30):
        with transaction.atomic():
            file([Filed(webhook, chat.pk, "x", {"chat": str(chat.pk), "n": n}) for chat in chats])
        for one in couriers:
            one.poke(webhook.pk)
    with receiver.changed:
        assert receiver.changed.wait_for(lambda: sum(map(len, order.values())) >= 90, 60)
    stopped = [one.stop(20) for one in couriers]
    assert stopped == [True] * 3
    assert clashes == []
    assert all(found == list(range(30)) for found in order.values())


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_a_worker_that_is_killed_under_way_leads_to_the_same_batch(acme, chats, receiver, courier, now):
    webhook = make_batching(acme, receiver.url)
    rows = fill(webhook, now, *chats)
    may_answer = threading.Event()
    receiver.answer = lambda call: 200 if may_answer.wait(30) else 500
    config = connection.settings_dict
    url = f"postgres://{config['USER']}@{config['HOST']}:{config['PORT']}/{config['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
    worker = subprocess.Popen([sys.executable, "-c", KILLED, str(webhook.pk)], env=environment)
    try:
        (first,) = receiver.wait_for(1, 60)
    finally:
        worker.kill()
        worker.wait()
    may_answer.set()
    held = Delivery.objects.filter(leased_until__gt=timezone.now())
    assert held.count() == 3
    courier.poke(webhook.pk)
    assert courier.stop(20)
    assert len(receiver.calls) == 1  # the lease is still the dead one's
    Delivery.objects.update(leased_until=timezone.now() - LEASE)
    courier.poke(webhook.pk)
    _, again = receiver.wait_for(2)
    assert (again.id, again.body) == (first.id, first.body)
    assert len(again.json) == len(rows)
