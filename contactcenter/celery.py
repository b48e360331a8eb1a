"""The Celery app: its settings and every schedule.

Nothing important waits in the broker. Each obligation is a row with due_at; a task only says "look now", and the
schedule below finds what such a hint missed. So Redis may lose everything, tasks may run twice, and results are not kept.
"""

import os
import signal
import sys
import threading
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, task_postrun, task_prerun, worker_process_shutdown
from django.db import connections
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")

from django.conf import settings

MEMORY: dict[str, Any] = {"polling_interval": 0.01}  # at the default of 1 s throughput collapses
REDIS: dict[str, Any] = {
    # A killed worker's tasks come back after visibility_timeout, if somebody looks: the two restore options do.
    "visibility_timeout": 300,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    # Without these a publish to a half-open connection waits for ever.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

# Seconds between two looks at what is due. One line per sweep; every sweep may run twice or late.
SWEEPS: dict[str, float] = {
    "contactcenter.canary": 30,
    "chats.tasks.sweep": 2,
    "chats.tasks.sweep_searches": 3,
    "chats.tasks.sweep_places": 5,
    "chats.tasks.sweep_transcripts": 10,
    "chats.tasks.sweep_deliveries": 2,
    "chats.tasks.sweep_dispatches": 2,
    "chats.tasks.sweep_push_notices": 2,
    "chats.tasks.sweep_mailboxes": 15,
    "chats.tasks.sweep_connectors": 5,
    "chats.tasks.tidy": 3600,
}


def schedule() -> dict[str, dict[str, Any]]:
    """Beat's schedule. A sweep that beat could not place in time is worthless: the next one finds the same rows."""
    return {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds * 2, 10)}}
        for name, seconds in SWEEPS.items()
    }


app = Celery("contactcenter", set_as_current=True)
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_transport_options=MEMORY if settings.CELERY_BROKER_URL.startswith("memory:") else REDIS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # the default ends the worker after a hundred tries
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2},
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_retry_on_worker_lost=True,
    task_time_limit=120,
    task_soft_time_limit=100,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="contactcenter",
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=500,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_soft_shutdown_timeout=10,
    worker_enable_soft_shutdown_on_idle=True,
    worker_redirect_stdouts=False,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    # Celery would close the process' whole pool around each task, while other threads are in the middle of something: see give_back.
    CELERY_DB_REUSE_MAX=sys.maxsize,
    beat_scheduler="celery.beat:Scheduler",  # in memory: every entry is a sweep, a lost "last run" costs nothing
    beat_schedule=schedule(),
    beat_max_loop_interval=5,
    timezone="UTC",
    enable_utc=True,
)
app.autodiscover_tasks(["chats"])


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """A receiver here is what tells Celery to leave logging alone."""
    from logging.config import dictConfig

    dictConfig(settings.LOGGING)


@task_prerun.connect
@task_postrun.connect
def give_back(sender: Any, **_: Any) -> None:
    """A task keeps no connection: on PostgreSQL it goes back to the pool."""
    if not sender.request.is_eager:
        connections.close_all()


@beat_init.connect
def end_when_asked(sender: Any, **_: Any) -> None:
    """Celery ends beat by an exception out of the signal's handler. Whatever it is just doing may swallow that: then it ends after this round."""

    def end(*_: Any) -> None:
        sender.stop()
        raise SystemExit

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)


@worker_process_shutdown.connect
def end_calls(**_: Any) -> None:
    """A worker's child ends without Python's own goodbyes; what it has under way would be made twice."""
    from chats.carriers import dispatches
    from chats.carriers.push import notices
    from chats.outbox.courier import courier

    for each in (courier, dispatches.courier, notices.courier):
        each.stop()


@app.task(name="contactcenter.canary")
def canary() -> None:
    """Beat, broker, worker and database did their work just now: /readyz and /metrics tell how long ago that was."""
    from contactcenter.models import Installation

    Installation.objects.update_or_create(id=1, defaults={"canary_at": timezone.now()})
