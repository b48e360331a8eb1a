"""Obligations as rows. The row is the promise, the signal only makes it sooner: a sweep finds what no signal reached."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

from agents.models import Membership
from contactcenter.models import Team

from .models import Queue, hot

work_due = Signal()  # task: str (a function of chats.tasks), id: UUID; after the commit


def do_soon(task: str, row_id: Any) -> None:
    """After the commit, ask for one task to be run with the id of the row that is due."""
    transaction.on_commit(lambda: work_due.send(sender=None, task=task, id=row_id), robust=True)


def ask_routing(team_ids: Iterable[UUID], now: datetime) -> None:
    """Say that these teams want routing. Call it last in a transaction: it holds the queues' rows until the commit.

    The row is written even when it is due already: a router that has just claimed it cannot have seen our change.
    """
    wanted = sorted(set(team_ids))
    if len(wanted) != 1 or not hot.make_due(Queue(team_id=wanted[0], routing_due_at=now)):
        _make_due(wanted, now)
    for team_id in wanted:
        do_soon("route_team", team_id)


def _make_due(wanted: list[UUID], now: datetime) -> None:
    queues = Queue.objects.filter(team_id__in=wanted)
    if len(wanted) > 1:
        # One by one in id order: two who ask for several teams never wait for each other in a circle.
        list(queues.order_by("id").select_for_update(no_key=True))
    if queues.update(routing_due_at=now) < len(wanted):
        _make_queues(wanted)
        queues.update(routing_due_at=now)


def _make_queues(team_ids: list[UUID]) -> None:
    """A new team's queue is made by its first chat, so that no door that makes teams has to think of it."""
    teams = Team.objects.filter(pk__in=team_ids, queue=None)
    queues = [Queue(center_id=team.center_id, team=team) for team in teams]
    Queue.objects.bulk_create(queues, ignore_conflicts=True)


def ask_routing_for_agent(agent_id: UUID, now: datetime) -> None:
    """A slot of this agent became free (or its owner available): all of the agent's teams want routing."""
    ask_routing(Membership.objects.filter(agent_id=agent_id).values_list("team_id", flat=True), now)
