"""Polls a second that have nothing new: 64 kept connections, 100 chats by turns, so that most polls are no sign of life that has to be stored.

Each chat is polled once before: then it is known what its customer has been shown, and there is nothing more to note.
"""

import asyncio

from bench.cast import Cast, leave_all
from bench.doors import Door, all_doors, ask_each, bare, rate, rest
from bench.site import Running, Site
from bench.sums import Row, beside
from bench.talk import run

name = "polls"
CHATS = 100


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


def _waiting() -> Door:
    """Customers who stand in one queue, and are told at which place."""
    cast = Cast.new()
    door = rest(cast)
    leave_all(cast)
    return door


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    ways: dict[str, tuple[Running, Door]] = {"floor": (site.floor, bare())}
    ways |= {title: (site.web, door) for title, door in all_doors(cast).items()}
    ways["REST v1, who wait"] = (site.web, _waiting())
    found: dict[str, list[Row]] = {title: [] for title in ways}
    for server, door in ways.values():
        assert door.poll  # noqa: S101 - all of these poll
        await ask_each(server, door.held[:CHATS], door.poll)
    for _ in range(site.rounds):
        for title, (server, door) in ways.items():
            assert door.poll  # noqa: S101 - asked above
            await asyncio.sleep(site.pause)
            site.settle()
            found[title].append(await rate(site, server, door.held[:CHATS], door.poll, "polls/s"))
    floor = found.pop("floor")
    return {title: beside(floor, rows, "polls/s", "server µs") for title, rows in found.items()}
