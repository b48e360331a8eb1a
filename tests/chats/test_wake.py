"""Wake-ups: nobody waits, nothing is asked twice, nothing breaks."""

import os
import threading
import time

import pytest

from chats import tasks
from chats.apps import ChatsConfig
from chats.due import do_soon, work_due
from chats.wake import REST, Waker

pytestmark = pytest.mark.both


class Broker:
    """Takes what is published, once it is let."""

    def __init__(self, *, is_open=True):
        self.taken = []
        self.gate = threading.Event()
        self.busy = threading.Event()
        if is_open:
            self.gate.set()

    def publish(self, task, row_id):
        self.busy.set()
        self.gate.wait(10)
        self.taken.append((task, row_id))

    def has_taken(self, count):
        end = time.monotonic() + 5
        while len(self.taken) < count and time.monotonic() < end:
            time.sleep(0.005)
        return self.taken


def test_a_wake_up_is_published_by_another_thread():
    names = []
    waker = Waker(lambda task, row_id: names.append((task, row_id, threading.current_thread().name)))
    waker.wake("route_team", 7)
    end = time.monotonic() + 5
    while not names and time.monotonic() < end:
        time.sleep(0.005)
    assert names == [("route_team", "7", "waker")]


def test_what_is_pending_already_is_not_added_and_the_order_is_kept():
    broker = Broker(is_open=False)
    waker = Waker(broker.publish)
    waker.wake("first", 0)
    assert broker.busy.wait(5)
    for row in (1, 2, 1, 2, 3):
        waker.wake("route_team", row)
    broker.gate.set()
    assert broker.has_taken(4) == [("first", "0"), *(("route_team", str(row)) for row in (1, 2, 3))]


def test_who_asks_while_it_is_being_published_gets_another_look():
    broker = Broker(is_open=False)
    waker = Waker(broker.publish)
    waker.wake("route_team", 1)
    assert broker.busy.wait(5)
    waker.wake("route_team", 1)
    broker.gate.set()
    assert broker.has_taken(2) == [("route_team", "1")] * 2


def test_a_broker_that_hangs_makes_nobody_wait_and_the_pending_ones_are_bounded():
    broker = Broker(is_open=False)
    waker = Waker(broker.publish, most_pending=100)
    started = time.monotonic()
    waker.wake("first", 0)
    assert broker.busy.wait(5)
    for row in range(1000):
        waker.wake("route_team", row)
    assert time.monotonic() - started < 5
    assert waker.dropped == 900
    broker.gate.set()
    assert len(broker.has_taken(101)) == 101
    waker.wake("route_team", "later")
    assert broker.has_taken(102)[-1] == ("route_team", "later")


def test_a_broker_that_is_away_does_not_end_the_thread():
    taken = []

    def publish(task, row_id):
        if row_id == "1":
            raise ConnectionError("refused")
        taken.append(row_id)

    waker = Waker(publish)
    waker.wake("route_team", 1)
    waker.wake("route_team", 2)
    end = time.monotonic() + 5
    while not taken and time.monotonic() < end:
        time.sleep(0.005)
    assert taken == ["2"]


def test_after_a_fork_the_child_has_a_thread_of_its_own():
    broker = Broker()
    waker = Waker(broker.publish)
    waker.wake("route_team", 1)
    broker.has_taken(1)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        waker.publish = lambda task, row_id: os.write(write, row_id.encode())
        waker.wake("route_team", 2)
        time.sleep(1)
        os._exit(0)
    os.close(write)
    told = os.read(read, 10)
    os.waitpid(child, 0)
    assert told == b"2"


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_follows_the_commit_and_reaches_the_broker():
    from django.apps import apps
    from django.db import transaction

    broker = Broker()
    config = apps.get_app_config("chats")
    assert isinstance(config, ChatsConfig)
    known, config.waker = config.waker, Waker(broker.publish)
    try:
        with transaction.atomic():
            do_soon("route_team", "abc")
            time.sleep(0.05)
            assert broker.taken == []
        assert broker.has_taken(1) == [("route_team", "abc")]
    finally:
        config.waker = known
    assert work_due.has_listeners()


@pytest.mark.parametrize("name", ["route_team", "expire_invitation", "tend_chat", "mail_transcript"])
def test_each_task_that_is_asked_for_exists_under_its_name(name):
    from contactcenter.celery import app

    assert app.tasks[f"chats.tasks.{name}"].name == f"chats.tasks.{name}"


def test_each_schedule_names_a_task_that_exists():
    from contactcenter.celery import SWEEPS, app

    app.loader.import_default_modules()
    assert set(SWEEPS) <= set(app.tasks)


def test_publishing_puts_the_task_into_the_queue_from_any_thread():
    from contactcenter.celery import app

    raised = []

    def work():
        try:
            tasks.publish("route_team", "abc")
        except Exception as error:
            raised.append(error)

    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        queue.clear()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
        message = queue.get(timeout=5)
        message.ack()
        queue.close()
    assert raised == []
    assert message.headers["task"] == "chats.tasks.route_team"
    assert message.payload[0] == ["abc"]


def test_one_row_is_woken_for_again_after_a_rest_and_others_do_not_wait_for_it():
    taken = []
    waker = Waker(lambda task, row_id: taken.append((row_id, time.monotonic())))
    for _ in range(3):
        waker.wake("route_team", 1)
        end = time.monotonic() + 5
        while not taken and time.monotonic() < end:
            time.sleep(0.001)
    waker.wake("route_team", 2)
    while len(taken) < 3 and time.monotonic() < end:
        time.sleep(0.005)
    assert [row for row, _ in taken] == ["1", "2", "1"]
    assert taken[2][1] - taken[0][1] >= REST
