"""What whispers do with the database: at once in a thread, in a thread of its own beside an event loop."""

import asyncio
import threading

import pytest
from django.db import OperationalError, connection
from structlog.testing import capture_logs

from chats.doors.aside import Aside
from contactcenter.models import ContactCenter


class Steps:
    """What ran, where."""

    def __init__(self):
        self.said = []
        self.threads = set()
        self.done = threading.Event()

    def step(self, word):
        self.said.append(word)
        self.threads.add(threading.current_thread())

    def fail(self):
        raise ValueError("out of order")


@pytest.fixture
def steps():
    return Steps()


def test_in_a_thread_it_is_done_at_once(steps):
    Aside().do(steps.step, "one")
    assert (steps.said, steps.threads) == (["one"], {threading.current_thread()})


def test_in_a_thread_a_failure_stays_with_the_listener(steps):
    aside = Aside()
    aside.do(steps.fail)
    aside.do(steps.step, "after")
    assert steps.said == ["after"]


@pytest.mark.parametrize(("error", "level"), [(OperationalError("away"), "warning"), (ValueError("odd"), "error")])
def test_a_database_that_is_away_is_no_fault_of_ours(error, level):
    def fail():
        raise error

    with capture_logs() as said:
        Aside().do(fail)
    assert [(line["event"], line["log_level"]) for line in said] == [("a whisper was lost", level)]


async def test_on_an_event_loop_one_thread_does_it_in_the_order_of_asking(steps):
    aside = Aside()
    for number in range(20):
        aside.do(steps.step, number)
    aside.do(steps.fail)
    aside.do(steps.step, "after a failure")
    aside.do(steps.done.set)
    assert await asyncio.to_thread(steps.done.wait, 10)
    assert steps.said == [*range(20), "after a failure"]
    assert len(steps.threads) == 1
    assert threading.current_thread() not in steps.threads


async def test_what_comes_while_too_much_is_pending_is_dropped(steps):
    aside = Aside(most_pending=2)
    begin = threading.Event()
    aside.do(begin.wait, 10)
    aside.do(steps.step, "second")
    aside.do(steps.step, "third")
    begin.set()
    while not steps.said:
        await asyncio.sleep(0)
    aside.do(steps.done.set)
    assert await asyncio.to_thread(steps.done.wait, 10)
    assert steps.said == ["second"]


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
async def test_on_an_event_loop_the_database_may_be_asked(steps):
    aside, found = Aside(), []

    def look():
        found.append(ContactCenter.objects.count())

    aside.do(look)
    aside.do(steps.done.set)
    assert await asyncio.to_thread(steps.done.wait, 10)
    assert found == [0]
    assert not connection.in_atomic_block
