"""Messages a second over sockets: accepted, committed, acknowledged and delivered to the other socket. 32 pairs of an agent and a customer."""

from functools import partial

from bench.cast import Cast
from bench.site import Site
from bench.sums import Row, beside
from bench.talk import Crowd, alternated, pairs, run

name = "messages"
PAIRS = 32
IN_FLIGHT = (1, 4, 16)


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    crowds = await pairs(site, cast.add_chats(PAIRS, agents=PAIRS))
    return {f"{many} in flight": await _row(site, crowds, many) for many in IN_FLIGHT}


async def _row(site: Site, crowds: dict[str, Crowd], in_flight: int) -> Row:
    found = await alternated(site, crowds, partial(Crowd.closed, in_flight=in_flight, seconds=site.seconds))
    return beside(found["floor"], found["product"], "messages/s", "server µs")
