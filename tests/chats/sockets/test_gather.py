"""Reads that many want at once are made together, and never too early."""

import asyncio
import threading

import pytest

from chats.sockets.gather import Gather

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


class Source:
    """What is read, and how; `gate` holds a round back."""

    def __init__(self):
        self.rounds, self.value = [], 1
        self.gate, self.begun = threading.Event(), threading.Event()
        self.gate.set()

    def load(self, keys):
        self.rounds.append(sorted(keys))
        found = dict.fromkeys(keys, self.value)
        self.begun.set()
        self.gate.wait(5)
        return found


async def test_who_asks_while_a_round_runs_gets_what_is_true_then_by_one_more_round():
    source = Source()
    gather = Gather(source.load)
    source.gate.clear()
    early = [asyncio.ensure_future(gather.get(key)) for key in ("a", "b", "a")]
    await asyncio.to_thread(source.begun.wait, 5)
    source.value = 2
    late = [asyncio.ensure_future(gather.get(key)) for key in ("a", "c", "a")]
    await asyncio.sleep(0.05)
    source.gate.set()
    assert await asyncio.gather(*early) == [1, 1, 1]
    assert await asyncio.gather(*late) == [2, 2, 2]
    assert source.rounds == [["a", "b"], ["a", "c"]]


async def test_after_a_round_there_is_a_rest_in_which_others_join():
    source = Source()
    gather = Gather(source.load, rest=0.2)
    await gather.get("a")
    asked = asyncio.ensure_future(gather.get("b"))
    await asyncio.sleep(0.02)
    assert await asyncio.gather(asked, gather.get("c")) == [1, 1]
    assert source.rounds == [["a"], ["b", "c"]]


async def test_a_round_that_fails_fails_for_those_who_asked_and_for_nobody_later():
    source = Source()
    gather = Gather(lambda keys: source.load(keys) if keys != ["broken"] else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await gather.get("broken")
    assert await gather.get("a") == 1
