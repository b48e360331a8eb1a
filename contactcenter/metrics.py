"""Figures for Prometheus, computed when they are asked for.

To add one, write a function that yields metric families and name it in GAUGES.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.db import Error
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chats import live
from chats.models import Chat, Delivery, TranscriptRequest
from contactcenter.models import Installation, Team

log = structlog.get_logger(__name__)

PREFIX = "contactcenter"
# What waits to leave the house: models with due(now) and failed_at.
DELIVERIES: dict[str, Any] = {"transcript": TranscriptRequest, "webhook": Delivery}


def queues() -> Iterator[Metric]:
    """Waiting chats and the oldest wait of every team that takes chats."""
    length = GaugeMetricFamily(f"{PREFIX}_queue_length", "Chats that wait for an agent", labels=["center", "team"])
    oldest = GaugeMetricFamily(f"{PREFIX}_queue_oldest_seconds", "Longest wait in the queue", labels=["center", "team"])
    waiting = Q(chats__state__in=Chat.WAITING)
    now = timezone.now()
    teams = Team.objects.annotate(waiting=Count("chats", waiting), since=Min("chats__queued_at", filter=waiting))
    for team in teams.values("center__slug", "key", "waiting", "since"):
        labels = [team["center__slug"], team["key"]]
        length.add_metric(labels, team["waiting"])
        oldest.add_metric(labels, (now - team["since"]).total_seconds() if team["since"] else 0)
    yield length
    yield oldest


def open_chats() -> Iterator[Metric]:
    """Open chats of every center by state."""
    family = GaugeMetricFamily(f"{PREFIX}_open_chats", "Chats that are not closed", labels=["center", "state"])
    rows = Chat.objects.open().values_list("center__slug", "state").annotate(count=Count("id")).order_by()
    for center, state, count in rows:
        family.add_metric([center, state], count)
    yield family


def sockets() -> Iterator[Metric]:
    """Websockets that this process holds."""
    family = GaugeMetricFamily(f"{PREFIX}_sockets", "Connected websockets of this process", labels=["kind"])
    for kind, number in live.connected().items():
        family.add_metric([kind], number)
    yield family


def socket_work() -> Iterator[Metric]:
    """What this process's sockets did: frames in and out, announcements made, dropped and heard, readers healed, slow clients cut."""
    family = CounterMetricFamily(f"{PREFIX}_live", "What happened on websockets since the start", labels=["what"])
    for what, number in sorted(live.hub.counters.items()):
        family.add_metric([what], number)
    yield family


def deliveries() -> Iterator[Metric]:
    """Outgoing calls and mails that are due, and those that were given up."""
    now = timezone.now()
    due = GaugeMetricFamily(f"{PREFIX}_deliveries_due", "Deliveries whose time has come", labels=["kind"])
    dead = GaugeMetricFamily(f"{PREFIX}_deliveries_dead", "Deliveries that were given up", labels=["kind"])
    for kind, model in DELIVERIES.items():
        due.add_metric([kind], model.objects.due(now).count())
        dead.add_metric([kind], model.objects.filter(failed_at__isnull=False).count())
    yield due
    yield dead


def task_lag() -> Iterator[Metric]:
    """Seconds since the canary came through beat, broker and worker."""
    seen = Installation.objects.values_list("canary_at", flat=True).first()
    if seen:
        yield GaugeMetricFamily(
            f"{PREFIX}_task_lag_seconds",
            "Seconds since a scheduled task last did its work",
            value=(timezone.now() - seen).total_seconds(),
        )


GAUGES: list[Callable[[], Iterator[Metric]]] = [queues, open_chats, sockets, socket_work, deliveries, task_lag]


class Figures(Collector):
    """All of GAUGES; without a database only what needs none."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: otherwise registering would ask the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        started = time.monotonic()
        failed = 0
        for gauge in GAUGES:
            try:
                yield from gauge()
            except Error:
                failed += 1
                log.warning("no figures", gauge=gauge.__name__)
        yield GaugeMetricFamily(f"{PREFIX}_figures_failed", "Groups of figures that could not be read", value=failed)
        yield GaugeMetricFamily(
            f"{PREFIX}_figures_seconds", "Time that these figures took", value=time.monotonic() - started
        )


registry = CollectorRegistry()
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)
registry.register(Figures())
