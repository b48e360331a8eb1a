"""Places in the queue, expected waits, and the measure behind them."""

from datetime import UTC, datetime, timedelta

import pytest

from chats.actions.hold import pick_chat
from chats.actions.offer import accept_invitation
from chats.actions.pace import WEIGHT, next_pace
from chats.models import Invitation, Queue
from chats.routing.engine import route_team
from chats.routing.estimates import expected_waits, queue_places
from tests.chats.routing.truths import moved
from tests.conftest import make_chat, online

pytestmark = pytest.mark.both

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ago(seconds):
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("offered", "free", "pace", "waits"),
    [
        ([], 0, 30, []),
        ([False, False], 0, 30, [30, 60]),
        ([False, False], 0, None, [None, None]),
        ([False, False, False], 2, 30, [0, 0, 30]),
        ([False, False, False], 2, None, [0, 0, None]),
        ([True, False, False], 0, 30, [0, 30, 60]),
        ([False, True, False], 1, 20.4, [0, 0, 20]),
    ],
)
def test_expected_waits(offered, free, pace, waits):
    assert expected_waits(offered, free=free, pace=pace) == waits


@pytest.mark.parametrize(
    ("known", "moved_at", "queued_at", "pace"),
    [
        (None, None, ago(50), None),  # the first move ever
        (None, ago(40), ago(50), 40.0),  # somebody waited all the time since the last move
        (10.0, ago(40), ago(50), (1 - WEIGHT) * 10 + WEIGHT * 40),
        (10.0, ago(40), ago(30), 10.0),  # the queue was empty in between: that says nothing about agents
        (10.0, ago(-5), ago(50), (1 - WEIGHT) * 10),  # clocks of two machines
    ],
)
def test_the_pace_is_measured_only_while_somebody_waits(known, moved_at, queued_at, pace):
    assert next_pace(known, moved_at, queued_at, NOW) == pytest.approx(pace)


@pytest.mark.django_db
def test_places_follow_priority_and_time(acme, now):
    chats = [make_chat(acme, moved(now, n), priority=priority).chat for n, priority in enumerate([0, 0, 9])]
    expected = [(chats[2].pk, 1, None), (chats[0].pk, 2, None), (chats[1].pk, 3, None)]
    assert queue_places(acme.support.pk, moved(now, 5)) == expected
    assert queue_places(acme.sales.pk) == []


@pytest.mark.django_db
def test_waits_are_known_once_the_queue_has_moved(acme, ann, bob, now):
    online(bob, now, seconds=900)
    chats = [make_chat(acme, now, client_id=f"c{n}").chat for n in range(5)]
    route_team(acme.support.pk, now)
    for seconds, offer in zip((10, 25), Invitation.objects.order_by("chat__queued_at", "chat_id"), strict=True):
        accept_invitation(bob, offer.pk, now=moved(now, seconds))
    queue = Queue.objects.get(team=acme.support)
    assert (queue.seconds_per_chat, queue.moved_at) == (15.0, moved(now, 25))
    places = queue_places(acme.support.pk, moved(now, 26))
    assert [(place, wait) for _, place, wait in places] == [(1, 15), (2, 30), (3, 45)]
    # Nothing has moved for longer than that: who says 15 seconds now would be lying.
    assert queue_places(acme.support.pk, moved(now, 100))[0][2] == 75
    online(ann, moved(now, 41))
    assert [wait for _, _, wait in queue_places(acme.support.pk, moved(now, 42))] == [0, 0, 0]
    assert {chat for chat, _, _ in places} < {chat.pk for chat in chats}


@pytest.mark.django_db
def test_a_quiet_night_does_not_count_as_waiting(acme, ann, now):
    make_chat(acme, now)
    Queue.objects.update(seconds_per_chat=20, moved_at=now - timedelta(hours=9))
    assert queue_places(acme.support.pk, moved(now, 5))[0][1:] == (1, 20)


@pytest.mark.django_db
def test_picking_by_hand_moves_the_queue_too(acme, ann, now):
    chats = [make_chat(acme, now, client_id=f"c{n}").chat for n in range(2)]
    for number, chat in enumerate(chats, start=1):
        pick_chat(ann, chat.pk, now=moved(now, 15 * number))
    assert Queue.objects.get(team=acme.support).seconds_per_chat == 15.0
