"""Messages a second through HTTP: customers' clients of 64 kept connections, in 400 chats by turns; answered once they are committed."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from bench.cast import Cast, forget_pace
from bench.doors import Door, all_doors, bare, rate
from bench.site import Running, Site
from bench.sums import Row, beside
from bench.talk import run

name = "posts"


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    ways: dict[str, Callable[[], Coroutine[Any, Any, Row]]] = {"floor": partial(_rate, site, site.floor, bare())}
    ways |= {title: partial(_rate, site, site.web, door) for title, door in all_doors(cast).items()}
    found: dict[str, list[Row]] = {title: [] for title in ways}
    for _ in range(site.rounds):
        for title, way in ways.items():
            await asyncio.sleep(site.pause)
            forget_pace(cast)
            site.settle()
            found[title].append(await way())
    floor = found.pop("floor")
    return {title: beside(floor, rows, "posts/s", "server µs") for title, rows in found.items()}


async def _rate(site: Site, server: Running, door: Door) -> Row:
    return await rate(site, server, door.held, door.post, "posts/s")
