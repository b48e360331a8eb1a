"""When a call is tried again."""

from datetime import timedelta

import pytest

from chats.outbox import schedule
from chats.outbox.schedule import FAIR_ATTEMPTS, JITTER, PATIENCE, WAITS, next_attempt


@pytest.fixture
def without_jitter(monkeypatch):
    monkeypatch.setattr(schedule.random, "uniform", lambda low, high: low)


def test_waits_grow_from_a_second_to_hours():
    assert (WAITS[0], WAITS[-1]) == (1, 6 * 3600)
    assert list(WAITS) == sorted(WAITS)
    assert sum(WAITS) < PATIENCE.total_seconds()


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 1), (4, 3), (10, 60), (20, 21600), (25, 21600), (500, 21600)]
)
def test_each_failure_has_its_wait(attempts, seconds, now, without_jitter):
    assert next_attempt(attempts, now, now) == now + timedelta(seconds=seconds)


def test_what_failed_together_does_not_come_again_together(now):
    waits = {(next_attempt(12, now, now) - now).total_seconds() for _ in range(50)}
    assert len(waits) > 40
    assert min(waits) >= WAITS[11]
    assert max(waits) <= WAITS[11] * (1 + JITTER)


def test_a_dead_receiver_is_tried_for_three_days_and_no_longer(now, without_jitter):
    filed_at, at, attempts = now, now, 1
    while again := next_attempt(attempts, filed_at, at):
        assert again > at
        at, attempts = again, attempts + 1
    assert at - filed_at == PATIENCE
    assert 20 < attempts < 40


def test_what_was_held_back_for_three_days_is_tried_a_few_times_all_the_same(now, without_jitter):
    filed_at, at, attempts = now - PATIENCE, now, 1
    while again := next_attempt(attempts, filed_at, at):
        at, attempts = again, attempts + 1
    assert attempts == FAIR_ATTEMPTS
    assert timedelta(seconds=60) < at - now < timedelta(minutes=3)
