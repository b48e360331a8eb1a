"""A supervisor who watches 200 chats: messages a second that reach that one socket, and how long they take. Ten agents write in 20 chats each."""

from functools import partial

from bench.cast import Cast, Held, ticket_of
from bench.site import Site
from bench.sums import Row, beside
from bench.talk import Crowd, Reader, Writer, alternated, run

name = "fan-out"
CHATS, AGENTS = 200, 10
RATE = 200


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    held = cast.add_chats(CHATS, agents=AGENTS)
    crowds = {"floor": Crowd(site, site.floor), "product": Crowd(site, site.web)}
    await _fill(crowds["floor"], held, is_floor=True)
    (supervisor,) = cast.add_agents(1, capacity=1, role="supervisor")
    await _fill(crowds["product"], held, ticket=ticket_of(supervisor))
    paced = await alternated(site, crowds, partial(Crowd.open, rate=RATE, seconds=site.seconds))
    full = await alternated(site, crowds, partial(Crowd.closed, in_flight=1, seconds=site.seconds))
    return {
        f"{RATE} a second": beside(paced["floor"], paced["product"], "p99 ms", "p50 ms"),
        "1 in flight in each": beside(full["floor"], full["product"], "messages/s", "server µs"),
    }


async def _fill(crowd: Crowd, held: list[Held], *, ticket: str = "", is_floor: bool = False) -> None:
    writers: dict[object, Writer] = {}
    supervisor = await Reader(crowd.tally, "position").open(crowd.server.port, "/ws/v1/agent", ticket=ticket)
    for turn, one in enumerate(held):
        chat = str(turn) if is_floor else str(one.chat.pk)
        if one.agent.pk not in writers:
            shown = "" if is_floor else ticket_of(one.agent)
            writers[one.agent.pk] = await Writer(crowd.tally).open(crowd.server.port, shown)
        crowd.talks.append((writers[one.agent.pk], chat))
        await supervisor.watch(chat)
    crowd.readers.append(supervisor)
