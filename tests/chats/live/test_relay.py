"""Who listens to whom between processes: a server that is alone tells nobody, and whoever comes is told at once."""

import asyncio
from collections import Counter

import pytest

from chats.live import relay
from chats.live.relay import Relay

pytestmark = pytest.mark.both


@pytest.fixture
def process(monkeypatch):
    """Makes relays, each as that of a process, and what each has heard."""
    monkeypatch.setattr(relay, "SIGN_SECONDS", 0.05)
    monkeypatch.setattr(relay, "ALONE_SECONDS", 0.4)
    made: list[Relay] = []

    def make(*, receives: bool) -> tuple[Relay, list[str]]:
        heard: list[str] = []
        made.append(Relay(lambda topic, _payload: heard.append(topic), Counter()))
        made[-1].start(receives=receives)
        return made[-1], heard

    yield make
    for one in made:
        end(one)


def end(one: Relay) -> None:
    for task in one.tasks:
        task.cancel()


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_who_is_alone_sends_nothing_until_somebody_listens(process):
    one, heard_by_one = process(receives=True)
    assert not one.is_alone()
    await until(one.is_alone)
    one.push([("to nobody", {})])
    assert "to nobody" not in [topic for topic, _ in one.waiting]
    two, heard_by_two = process(receives=True)
    await until(lambda: not one.is_alone())
    one.push([("to two", {})])
    two.push([("to one", {})])
    await until(lambda: heard_by_two and heard_by_one)
    assert (heard_by_one, heard_by_two) == (["to one"], ["to two"])
    assert one.counters == two.counters == {"relayed": 1}
    end(two)
    await until(one.is_alone)


async def test_a_worker_tells_always_and_is_nobody_to_tell(process):
    server, heard = process(receives=True)
    await until(server.is_alone)
    worker, _ = process(receives=False)
    worker.push([("from a worker", {})])
    await until(lambda: heard)
    assert server.is_alone()
    assert not worker.is_alone()


async def test_who_does_not_even_hear_itself_goes_on_telling(process):
    one, _ = process(receives=True)
    await until(one.is_alone)
    one.tasks[1].cancel()  # its ears
    await until(lambda: not one.is_alone())
    one.push([("perhaps", {})])
    assert "perhaps" in [topic for topic, _ in one.waiting]
