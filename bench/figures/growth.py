"""What a message costs when its center has ten times the chats, messages and agents. Small is 200 chats of 20 lines and 20 agents for each second measured."""

from functools import partial

from django.db import connection

from bench.cast import Cast
from bench.site import Site
from bench.sums import Row, beside
from bench.talk import Crowd, alternated, pairs, run

name = "growth"
PAIRS = 32
CHATS_A_SECOND, LINES, CHATS_OF_AN_AGENT = 200, 20, 10
TIMES = 10


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    small = int(CHATS_A_SECOND * site.seconds)
    talking = cast.add_chats(PAIRS, agents=PAIRS)
    _grow(cast, small)
    before = await _row(site, await pairs(site, talking))
    _grow(cast, small * (TIMES - 1))
    # New sockets: what a client holds in memory is not what is asked for.
    after = await _row(site, await pairs(site, talking))
    times = {column: after[column] / before[column] for column in ("server µs", "floor server µs", "p50 ms", "p99 ms")}
    if site.database:
        times["database µs"] = after["database µs"] / before["database µs"]
    return {f"{small:,} chats": before, f"{small * TIMES:,} chats": after, "times": times}


def _grow(cast: Cast, chats: int) -> None:
    cast.add_chats(chats, agents=chats // CHATS_OF_AN_AGENT, lines=LINES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum would, a minute later


async def _row(site: Site, crowds: dict[str, Crowd]) -> Row:
    found = await alternated(site, crowds, partial(Crowd.closed, in_flight=4, seconds=site.seconds))
    for crowd in crowds.values():
        crowd.close()
    return beside(found["floor"], found["product"], "messages/s", "server µs")
