"""How long who sends too fast must wait, on a clock of the test's own."""

import pytest

from chats.doors.socketio import pace
from chats.doors.socketio.pace import BURST, LONGEST_WAIT, PER_SECOND, Pace

pytestmark = pytest.mark.both


class Clock:
    now = 100.0

    def __init__(self) -> None:
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(pace, "asyncio", clock)
    return clock


async def test_a_burst_is_free_and_what_follows_comes_at_the_pace(clock: Clock) -> None:
    own = Pace()
    for _ in range(int(BURST)):
        await own.take()
    assert clock.waits == []
    for _ in range(100):
        await own.take()
    assert sum(clock.waits) == pytest.approx(100 / PER_SECOND)


async def test_who_rests_may_burst_again_and_not_more(clock: Clock) -> None:
    own = Pace()
    await own.take(int(BURST))
    clock.now += 3600
    await own.take(int(BURST))
    assert clock.waits == []
    await own.take()
    assert clock.waits == [pytest.approx(1 / PER_SECOND)]


async def test_no_single_wait_is_long(clock: Clock) -> None:
    own = Pace()
    await own.take(100_000)
    assert clock.waits == [LONGEST_WAIT]
    await own.take()
    assert clock.waits == [LONGEST_WAIT, LONGEST_WAIT]
