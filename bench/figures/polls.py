"""Polls a second that have nothing new: 16 kept connections, 100 chats by turns, so that most polls are no sign of life that has to be stored."""

import asyncio

from bench.cast import Cast
from bench.doors import all_doors, rate
from bench.site import Site
from bench.sums import Row, medians, spread
from bench.talk import run

name = "polls"
CHATS = 100


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    doors = all_doors(cast)
    found: dict[str, list[Row]] = {title: [] for title in doors}
    for _ in range(site.rounds):
        for title, door in doors.items():
            assert door.poll  # noqa: S101 - all of these poll
            await asyncio.sleep(site.pause)
            site.settle()
            found[title].append(await rate(site, site.web, door.held[:CHATS], door.poll, "polls/s"))
    return {title: medians(rows) | {"spread": spread(rows, "polls/s")} for title, rows in found.items()}
