"""What an idle socket costs in memory: the slope between 500 and 1,000 customers with an open chat each, on a fresh server."""

import asyncio

from bench.cast import Cast
from bench.site import Running, Site
from bench.sums import Row
from bench.talk import Reader, Tally, run

name = "idle sockets"
SOME, MANY = 500, 1000
AT_ONCE = 50


def measure(site: Site) -> dict[str, Row]:
    site.restart()
    held = Cast.new().add_chats(MANY, agents=MANY // 50)
    floor = run(_slope(site.floor, [str(turn) for turn in range(MANY)], site.pause))
    product = run(_slope(site.web, [one.token for one in held], site.pause))
    return {"customer": {"KB each": product, "floor KB each": floor}}


async def _slope(server: Running, tokens: list[str], pause: float) -> float:
    readers = await _open(server, tokens[:SOME])
    await asyncio.sleep(4 * pause)
    before = server.memory()
    readers += await _open(server, tokens[SOME:])
    await asyncio.sleep(4 * pause)
    after = server.memory()
    for reader in readers:
        reader.socket.close()
    return (after - before) / (MANY - SOME)


async def _open(server: Running, tokens: list[str]) -> list[Reader]:
    made: list[Reader] = []
    for first in range(0, len(tokens), AT_ONCE):
        some = tokens[first : first + AT_ONCE]
        made += await asyncio.gather(
            *(Reader(Tally(), "index").open(server.port, "/ws/v1/customer", token=t) for t in some)
        )
    return made
