"""Flags and inboxes: nobody sleeps through what arrives, and who leaves takes nothing along."""

import asyncio

import pytest

from contactcenter.waiting import Flag, Inbox


async def a_turn() -> None:
    await asyncio.sleep(0)


def test_everybody_who_waits_hears_of_a_flag_even_if_it_falls_at_once():
    async def play() -> None:
        flag = Flag()
        waiting = [asyncio.ensure_future(flag.wait()) for _ in range(2)]
        await a_turn()
        flag.set()
        flag.clear()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        late = asyncio.ensure_future(flag.wait())
        await a_turn()
        assert not late.done()
        flag.set()
        await asyncio.wait_for(late, 5)
        await flag.wait()

    asyncio.run(play())


def test_who_stops_waiting_is_forgotten():
    async def play() -> None:
        flag = Flag()
        gone = asyncio.ensure_future(flag.wait())
        await a_turn()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert not flag._waiting
        flag.set()

    asyncio.run(play())


def test_an_inbox_gives_everything_once_and_in_order():
    async def play() -> None:
        inbox: Inbox[int] = Inbox()
        taken = asyncio.ensure_future(inbox.get())
        await a_turn()
        for number in range(3):
            inbox.put_nowait(number)
        assert [await taken, await inbox.get(), await inbox.get()] == [0, 1, 2]
        assert inbox.empty()

    asyncio.run(play())


def test_who_stops_waiting_at_an_inbox_takes_nothing_along():
    async def play() -> None:
        inbox: Inbox[str] = Inbox()
        gone = asyncio.ensure_future(inbox.get())
        await a_turn()
        inbox.put_nowait("kept")
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert await asyncio.wait_for(inbox.get(), 5) == "kept"

    asyncio.run(play())
