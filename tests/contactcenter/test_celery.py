"""What a task leaves behind in its worker's process, and how beat ends."""

import signal
from types import SimpleNamespace

import pytest
from celery.beat import Service
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import beat_init, task_postrun, task_prerun
from django.db import connection

from contactcenter.celery import app
from contactcenter.models import ContactCenter


class Task:
    """What signals know of one."""

    def __init__(self, is_eager: bool) -> None:
        self.request = SimpleNamespace(is_eager=is_eager)


def run_task(*, is_eager: bool = False) -> None:
    """As a prefork worker does: Celery's own fixup and everybody who listens."""
    fixup = DjangoWorkerFixup(app)
    fixup.worker = SimpleNamespace(pool_cls="celery.concurrency.prefork:TaskPool")
    task = Task(is_eager)
    for told, own in ((task_prerun, fixup.on_task_prerun), (task_postrun, fixup.on_task_postrun)):
        own(sender=task)
        told.send(sender=task)
        if told is task_prerun:
            assert ContactCenter.objects.count() == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_pool_of_a_process_outlives_its_tasks():
    """Other threads of it, such as those that call web hooks, are in the middle of something."""
    ContactCenter.objects.count()
    pool = connection.pool
    for _ in range(3):
        run_task()
    assert connection.pool is pool
    assert not pool.closed


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_a_task_keeps_no_connection():
    run_task()
    assert connection.connection is None


@pytest.mark.both
@pytest.mark.django_db
def test_a_task_within_a_request_leaves_the_request_its_connection():
    run_task(is_eager=True)
    assert connection.connection is not None


def test_beat_ends_though_whatever_it_does_swallows_the_signals_exception():
    beat, before = Service(app), signal.getsignal(signal.SIGTERM)
    try:
        beat_init.send(sender=beat)
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    # It leaves its loop before the next round.
    assert beat._is_shutdown.is_set()
