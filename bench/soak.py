"""Whether anything piles up: memory, files and connections while people talk, come and go for a long time.

    python bench/soak.py [--minutes 10] [--rate 50] [--pairs 32] [--port 22500]

On PostgreSQL (TEST_DATABASE_URL, else 127.0.0.1:5432; a database that is dropped afterwards), with Redis, worker and beat of its own.
Every few seconds it looks at the server; in between, customers' sockets come and go. Prints one JSON object. What the first third of the time
adds is left out of the slopes: caches fill up, pools open.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import machine
from bench.site import Site

if TYPE_CHECKING:
    from bench.cast import Cast
    from bench.talk import Crowd

LOOK_SECONDS = 5.0
VISITORS = 10  # sockets that come and go between two looks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=50, help="messages a second")
    parser.add_argument("--pairs", type=int, default=32, help="an agent and a customer each, on a socket")
    parser.add_argument("--port", type=int, default=22_500, help="the first of three")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    about = machine.described()  # before we keep to our cores
    with Site("postgresql", seconds=LOOK_SECONDS, rounds=1, port=options.port) as site:
        from bench.cast import Cast
        from bench.talk import run

        found = run(soak(site, Cast.new(), options))
    print(json.dumps({"machine": about, **found}, indent=2))


async def soak(site: Site, cast: "Cast", options: argparse.Namespace) -> dict[str, Any]:
    from bench.cast import ticket_of
    from bench.talk import Crowd

    crowd = Crowd(site, site.web)
    for held in cast.add_chats(options.pairs, agents=options.pairs):
        await crowd.add_pair(ticket_of(held.agent), held.token, str(held.chat.pk))
    tokens = [token for _, token in cast.add_customers(VISITORS)]
    begun, looks = time.monotonic(), list[dict[str, float]]()
    while time.monotonic() - begun < options.minutes * 60:
        await crowd.open(options.rate, LOOK_SECONDS)
        await come_and_go(site, tokens)
        looks.append({"hours": (time.monotonic() - begun) / 3600, **look(site)})
        crowd.tally.delivered.clear()
    crowd.close()
    return told(crowd, looks)


async def come_and_go(site: Site, tokens: list[str]) -> None:
    from bench.talk import Reader, Tally

    readers = [await Reader(Tally(), "index").open(site.web.port, "/ws/v1/customer", token=token) for token in tokens]
    for reader in readers:
        reader.socket.close()
    await asyncio.sleep(0.5)  # the server notices


def look(site: Site) -> dict[str, float]:
    """What the server, and worker and beat together, hold now."""
    services = [pid for pid in machine.descendants(os.getpid()) if pid not in (site.web.pid, site.floor.pid)]
    return {
        "server MB": site.web.memory() / 1024,
        "services MB": sum(map(machine.memory_of, services)) / 1024,
        "files": float(len(list(Path(f"/proc/{site.web.pid}/fd").iterdir()))),
        "threads": float(len(list(Path(f"/proc/{site.web.pid}/task").iterdir()))),
        "connections": float(len(list(machine.backends(site.database)))),
    }


def told(crowd: "Crowd", looks: list[dict[str, float]]) -> dict[str, Any]:
    """First, last and most of each; and what an hour adds, by the line of least squares through the last two thirds."""
    late = looks[len(looks) // 3 :]
    hours = [one["hours"] for one in late]
    figures: dict[str, Any] = {}
    for name in looks[0].keys() - {"hours"}:
        values = [one[name] for one in late]
        slope = statistics.linear_regression(hours, values).slope
        figures[name] = {
            "first": round(looks[0][name], 1),
            "last": round(values[-1], 1),
            "most": round(max(one[name] for one in looks), 1),
            "an hour": round(slope, 1),
        }
    return {
        "minutes": round(looks[-1]["hours"] * 60, 1),
        "messages": crowd.tally.acknowledged,
        "sockets that came and went": len(looks) * VISITORS,
        "faults": crowd.tally.faults,
        "figures": figures,
    }


if __name__ == "__main__":
    main()
