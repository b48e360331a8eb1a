"""Rates, counted together by all processes."""

import pytest
from django.core.cache import cache

from chats.doors import throttles
from chats.doors.throttles import Rate, count
from chats.errors import TooMany
from tests.cases import cases


@pytest.fixture(autouse=True)
def minute(monkeypatch):
    """Always the same one, and a tally that nobody has used."""
    cache.clear()
    monkeypatch.setattr(throttles.time, "time", lambda: 60_000.0)
    monkeypatch.setattr(throttles, "tally", throttles._Tally())
    yield
    cache.clear()


def knock(rate, times, who="eve"):
    for _time in range(times):
        count(rate, who)


@cases("limit", [3, 100, 730])
def test_so_many_may_knock_and_not_one_more(limit):
    rate = Rate(f"test-{limit}", limit)
    knock(rate, limit)
    with pytest.raises(TooMany):
        knock(rate, 1)
    knock(rate, limit, "bob")


def test_processes_count_together_but_for_a_hundredth(monkeypatch):
    rate, tallies = Rate("test", 1000), [throttles._Tally(), throttles._Tally()]
    passed = 0
    with pytest.raises(TooMany):
        while True:
            monkeypatch.setattr(throttles, "tally", tallies[passed % 2])
            knock(rate, 1)
            passed += 1
    assert 1000 <= passed <= 1000 + 2 * 10


def test_a_low_rate_is_told_each_time_and_a_high_one_seldom(monkeypatch):
    told = []
    monkeypatch.setattr(throttles, "_counted", lambda asked, _window: (told.extend(asked), [(0, 0)])[1])
    knock(Rate("low", 20), 12)
    assert len(told) == 12
    knock(Rate("high", 1200), 36)
    assert [number for _rate, _who, number in told[12:]] == [12, 12, 12]


def test_the_minute_before_counts_by_the_part_that_is_left_of_it(monkeypatch):
    rate = Rate("test", 10)
    knock(rate, 10)
    monkeypatch.setattr(throttles.time, "time", lambda: 60_000.0 + 90)
    knock(rate, 5)
    with pytest.raises(TooMany):
        knock(rate, 1)
