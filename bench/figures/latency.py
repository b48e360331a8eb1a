"""From sending to the other socket, at a fixed rate that waits for nobody. 32 pairs."""

from functools import partial

from bench.cast import Cast
from bench.site import Site
from bench.sums import Row, beside
from bench.talk import Crowd, alternated, pairs, run

name = "latency"
PAIRS = 32
RATES = (200, 500)


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    crowds = await pairs(site, cast.add_chats(PAIRS, agents=PAIRS))
    return {f"{rate} a second": await _row(site, crowds, rate) for rate in RATES}


async def _row(site: Site, crowds: dict[str, Crowd], rate: int) -> Row:
    found = await alternated(site, crowds, partial(Crowd.open, rate=rate, seconds=site.seconds))
    row = beside(found["floor"], found["product"], "p99 ms", "p50 ms")
    del row["of floor"]  # of times a share says little
    return row
