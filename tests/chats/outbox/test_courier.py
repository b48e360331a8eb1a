"""The courier with real receivers, real threads and a real database."""

import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from chats import tasks
from chats.models import Attempt, Delivery, Webhook
from chats.outbox import clerk, lanes, schedule, settle
from chats.outbox import courier as couriers
from chats.outbox.calling import Calls
from chats.outbox.courier import Courier
from chats.outbox.filing import Filed, file
from chats.outbox.lanes import LEASE
from chats.outbox.targets import WIDTH
from tests.chats.outbox.conftest import make_delivery, make_webhook
from tests.chats.outbox.receiver import Receiver
from tests.conftest import make_chat

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.both


@pytest.fixture
def chats(acme, now):
    """Four, from before there were web hooks."""
    with transaction.atomic():
        return [make_chat(acme, now).chat for _ in range(4)]


@pytest.fixture
def at_once(monkeypatch):
    """Failed calls are made again without a wait."""
    monkeypatch.setattr(schedule, "WAITS", (0.001,))


def fill(webhook, now, chats, each):
    """Deliveries of several chats, their log's numbers in the payload."""
    rows = [Filed(webhook, chat.pk, "x", {"chat": str(chat.pk), "n": n}) for n in range(each) for chat in chats]
    with transaction.atomic():
        file(rows)
    return len(rows)


@both
def test_what_is_due_arrives_and_is_noted(acme, chats, receiver, courier, now):
    webhook = make_webhook(acme, receiver.url)
    delivery = make_delivery(webhook, now, chats[0])
    courier.poke(webhook.pk)
    (call,) = receiver.wait_for(1)
    assert courier.stop(20)
    delivery.refresh_from_db()
    assert (call.id, call.json) == (str(delivery.id), {"type": "message.posted"})
    assert delivery.sent_at is not None
    assert (delivery.attempts_made, delivery.leased_until, delivery.failed_at, delivery.error) == (1, None, None, "")
    attempt = Attempt.objects.get()
    assert (attempt.delivery_id, attempt.status, attempt.error) == (delivery.id, 200, "")


@both
def test_every_call_arrives_in_order_though_one_in_three_fails(acme, chats, receiver, courier, now, at_once):
    webhook = make_webhook(acme, receiver.url)
    count = fill(webhook, now, chats, 15)
    taken, busy, clashes, lock = defaultdict(list), Counter(), [], threading.Lock()

    def answer(call):
        chat, number = call.json["chat"], call.json["n"]
        with lock:
            busy[chat] += 1
            clashes.extend([chat] * (busy[chat] > 1))
            fails = len(receiver.calls) % 3 == 0
            if not fails:
                taken[chat].append(number)
            busy[chat] -= 1
            if sum(map(len, taken.values())) == count:
                is_done.set()
        return 500 if fails else 200

    is_done = threading.Event()
    receiver.answer = answer
    courier.poke(webhook.pk)
    assert is_done.wait(60)
    assert courier.stop(20)
    assert list(taken.values()) == [list(range(15))] * 4
    assert not clashes
    assert not Delivery.objects.filter(sent_at=None).exists()
    assert Attempt.objects.filter(status=500).count() == len(receiver.calls) - count
    names = {(call.json["chat"], call.json["n"]): call.id for call in receiver.calls}
    assert all(names[call.json["chat"], call.json["n"]] == call.id for call in receiver.calls)


@both
def test_a_head_that_fails_holds_back_its_chat_and_no_other(acme, chats, receiver, courier, now, monkeypatch):
    monkeypatch.setattr(schedule, "WAITS", (3600,))
    webhook = make_webhook(acme, receiver.url)
    fill(webhook, now, chats[:2], 3)
    bad = str(chats[0].pk)
    receiver.answer = lambda call: 500 if call.json["chat"] == bad else 200
    courier.poke(webhook.pk)
    receiver.wait_for(4)
    assert courier.stop(20)
    assert [call.json["n"] for call in receiver.calls if call.json["chat"] == bad] == [0]
    assert [call.json["n"] for call in receiver.calls if call.json["chat"] != bad] == [0, 1, 2]
    head = Delivery.objects.get(attempts_made=1, sent_at=None)
    assert (head.error, head.due_at > now + timedelta(minutes=59)) == ("Answered 500.", True)
    # Given up: the next one goes.
    Delivery.objects.filter(pk=head.pk).update(failed_at=now)
    receiver.answer = lambda call: 200
    courier.poke(webhook.pk)
    receiver.wait_for(6)


@both
def test_a_receiver_that_hangs_holds_back_no_other(acme, receiver, courier, now):
    hold = threading.Event()
    hanging = Receiver(lambda call: 200 if hold.wait(30) else 500)
    try:
        slow, quick = make_webhook(acme, hanging.url), make_webhook(acme, receiver.url)
        for _ in range(30):
            make_delivery(slow, now)
        courier.poke(slow.pk)
        hanging.wait_for(WIDTH)
        for _ in range(30):
            make_delivery(quick, now)
        courier.poke(quick.pk)
        receiver.wait_for(30)
        assert len(hanging.calls) == WIDTH
        hold.set()
        hanging.wait_for(30)
    finally:
        hold.set()
        hanging.stop()


@both
def test_410_ends_it(acme, chats, receiver, courier, now):
    webhook = make_webhook(acme, receiver.url)
    fill(webhook, now, chats[:1], 5)
    receiver.answer = lambda call: 410
    courier.poke(webhook.pk)
    receiver.wait_for(1)
    assert courier.stop(20)
    assert Webhook.objects.get().disabled_at is not None
    courier.poke(webhook.pk)
    assert courier.stop(20)
    assert len(receiver.calls) == 1


@both
def test_an_address_that_is_not_called_is_told_as_such(acme, courier, now, settings, monkeypatch):
    noted = threading.Event()
    monkeypatch.setattr(clerk.Clerk, "_go_on", lambda *_: noted.set())
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    webhook = make_webhook(acme, "http://169.254.169.254/latest/meta-data")
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    assert noted.wait(20)
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "The address leads to a network that is not called.")
    assert Delivery.objects.get().failed_at is None


@both
def test_what_breaks_on_our_side_is_an_attempt_too(acme, receiver, courier, now, monkeypatch, caplog):
    noted = threading.Event()
    monkeypatch.setattr(clerk.Clerk, "_go_on", lambda *_: noted.set())
    webhook = make_webhook(acme, receiver.url, secret="whsec_x")
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    assert noted.wait(20)
    assert Attempt.objects.get().error == "It failed on our side."
    assert not receiver.calls


@both
def test_an_outage_between_call_and_note_costs_no_second_call(acme, receiver, courier, now, monkeypatch):
    monkeypatch.setattr(clerk, "PAUSE", 0.01)
    real, tries, is_noted = settle.note, [], threading.Event()

    def note(outcomes, at):
        tries.append(len(outcomes))
        if len(tries) < 3:
            raise OperationalError("the database is away")
        is_noted.set()
        return real(outcomes, at)

    monkeypatch.setattr(settle, "note", note)
    webhook = make_webhook(acme, receiver.url)
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    receiver.wait_for(1)
    assert is_noted.wait(20)
    assert courier.stop(20)
    assert Delivery.objects.get().sent_at is not None
    assert len(receiver.calls) == 1


@both
def test_one_attempt_that_cannot_be_noted_stops_no_other(acme, receiver, courier, now, monkeypatch):
    bad = make_delivery(make_webhook(acme, receiver.url), now)
    webhook = make_webhook(acme, receiver.url)
    good = [make_delivery(webhook, now) for _ in range(3)]
    real = settle.note

    def note(outcomes, at):
        if any(outcome.delivery.pk == bad.pk for outcome in outcomes):
            raise ValueError("this row is cursed")
        return real(outcomes, at)

    monkeypatch.setattr(settle, "note", note)
    courier.poke(bad.webhook_id)
    courier.poke(webhook.pk)
    receiver.wait_for(4)
    assert courier.stop(20)
    assert set(Delivery.objects.exclude(sent_at=None)) == set(good)
    assert Delivery.objects.get(pk=bad.pk).leased_until is not None


@both
def test_a_claim_that_came_too_late_is_not_used(acme, receiver, courier, now, monkeypatch):
    """The process stood still between claim and call: another may be calling by now."""
    real, is_claimed = lanes.Lanes.claim, threading.Event()

    def claim(self, numbers, at):
        is_claimed.set()
        return real(self, numbers, at)

    monkeypatch.setattr(lanes, "LEASE", timedelta(seconds=courier.seconds))
    monkeypatch.setattr(lanes.Lanes, "claim", claim)
    webhook = make_webhook(acme, receiver.url)
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    assert is_claimed.wait(20)
    assert courier.stop(20)
    assert Delivery.objects.exclude(leased_until=None).exists()
    assert not receiver.calls
    assert not Attempt.objects.exists()


# Stopping, starting, dying --------------------------------------------------------------------------------------------


@both
def test_a_stop_notes_what_is_under_way_and_begins_nothing_more(acme, chats, courier, receiver, now):
    webhook = make_webhook(acme, receiver.url)
    fill(webhook, now, chats[:1], 5)
    hold = threading.Event()
    receiver.answer = lambda call: 200 if hold.wait(30) else 500
    courier.poke(webhook.pk)
    receiver.wait_for(1)
    stopped = []
    thread = threading.Thread(target=lambda: stopped.append(courier.stop(30)))
    thread.start()
    hold.set()
    thread.join(30)
    assert stopped == [True]
    assert Delivery.objects.exclude(sent_at=None).count() == len(receiver.calls)
    assert not Delivery.objects.exclude(leased_until=None).exists()
    courier.poke(webhook.pk)  # and it begins again
    receiver.wait_for(5)


@both
def test_a_stop_does_not_wait_for_ever(acme, receiver, now):
    hold = threading.Event()
    receiver.answer = lambda call: 200 if hold.wait(30) else 500
    courier, webhook = Courier(Calls(), seconds=20), make_webhook(acme, receiver.url)
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    receiver.wait_for(1)
    left = courier._clerk
    assert not courier.stop(0.05)
    hold.set()
    assert left.stop(20)


@both
def test_after_a_fork_there_is_a_new_clerk(acme, receiver, courier, now):
    webhook = make_webhook(acme, receiver.url)
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    receiver.wait_for(1)
    parents = courier._clerk
    courier._forget()
    make_delivery(webhook, now)
    courier.poke(webhook.pk)
    receiver.wait_for(2)
    assert courier._clerk is not parents
    assert parents.stop(20)


@both
def test_without_a_poke_nothing_runs_and_strange_ids_do_no_harm(acme, courier):
    assert courier.stop(1)
    courier.poke(acme.center.pk)


KILLED = """
import sys, threading, django
django.setup()
from chats.outbox.courier import courier
courier.poke(__import__("uuid").UUID(sys.argv[1]))
threading.Event().wait(60)
"""


@pytest.mark.postgres
def test_a_worker_that_is_killed_between_call_and_note_leads_to_the_same_call(acme, chats, receiver, courier, now):
    webhook = make_webhook(acme, receiver.url)
    fill(webhook, now, chats[:1], 2)
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
    head = Delivery.objects.order_by("number").first()
    assert (head.sent_at, head.attempts_made) == (None, 0)
    assert head.leased_until > timezone.now()
    courier.poke(webhook.pk)
    assert courier.stop(20)
    assert len(receiver.calls) == 1  # the lease is still the dead one's
    Delivery.objects.update(leased_until=head.leased_until - LEASE)
    courier.poke(webhook.pk)
    _, again, second = receiver.wait_for(3)
    assert (again.id, again.body) == (first.id, first.body)
    assert (second.json["n"], second.id) == (1, str(Delivery.objects.order_by("number").last().id))


# Asking it ------------------------------------------------------------------------------------------------------------


class Asked:
    def __init__(self):
        self.ids = []

    def poke(self, webhook_id):
        self.ids.append(webhook_id)


@both
def test_sweeps_find_what_is_due_and_give_up_what_nobody_wants(acme, now, monkeypatch):
    asked = Asked()
    monkeypatch.setattr(couriers, "courier", asked)
    due, off, _later = make_webhook(acme), make_webhook(acme, disabled_at=now), make_webhook(acme)
    make_delivery(due, now)
    make_delivery(off, now)
    make_delivery(_later, now, due_at=now + timedelta(hours=1))
    tasks.sweep_deliveries()
    assert asked.ids == [due.pk]
    assert Delivery.objects.get(webhook=off).failed_at is not None
    tasks.deliver(str(off.pk))
    assert asked.ids == [due.pk, off.pk]


@both
def test_what_a_dead_process_had_claimed_is_found_when_its_lease_is_over(acme, now, monkeypatch):
    asked = Asked()
    monkeypatch.setattr(couriers, "courier", asked)
    webhook = make_webhook(acme)
    make_delivery(webhook, now, leased_until=now + LEASE)
    couriers.sweep(now + LEASE)
    assert asked.ids == [webhook.pk]
