"""Chats a second begun by REST with a first message: alone, while nobody is there; and until an agent has been found and has accepted.

64 customers at once, each new, or 16 who wait for an agent; 40 agents with 50 slots over sockets, who accept at once.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from bench.cast import Cast, end_all, ticket_of
from bench.doors import CLIENTS
from bench.site import Site
from bench.sums import Row, medians, milliseconds, spread
from bench.talk import Faulty, Used, clock, names, run
from bench.wires import Http, WebSocket, open_http, open_socket, request

name = "starts"
AGENTS = 40
WAITING = 16  # customers at once who wait for an agent
MOST = 1000  # chats a second; who runs out of customers measures a shorter time


class Acceptor:
    """An agent's socket that accepts whatever is offered, and says which chats are now held."""

    socket: WebSocket

    def __init__(self, held: dict[str, "asyncio.Future[None]"]) -> None:
        self.held = held
        self.welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, port: int, ticket: str) -> "Acceptor":
        self.socket = await open_socket(port, "/ws/v1/agent", self.hear)
        self.socket.send({"type": "hello", "ref": "h", "ticket": ticket})
        await self.welcome
        return self

    def hear(self, raw: bytes) -> None:
        if raw.startswith((b'{"type":"events"', b'{"type":"chat"')):
            return
        said = json.loads(raw)
        if said["type"] == "invitation":
            offer = said["invitation"]
            self.socket.send({"type": "accept", "ref": offer["chat"]["id"], "invitation": offer["id"]})
        elif said["type"] == "ack":
            future_of(self.held, said["ref"]).set_result(None)
        elif said["type"] == "welcome":
            self.welcome.set_result(None)
        elif said["type"] == "ping":
            self.socket.send({"type": "pong"})


def future_of(held: dict[str, "asyncio.Future[None]"], chat: str) -> "asyncio.Future[None]":
    return held.setdefault(chat, asyncio.get_running_loop().create_future())


def measure(site: Site) -> dict[str, Row]:
    return run(_measure(site, Cast.new()))  # type: ignore[no-any-return]


async def _measure(site: Site, cast: Cast) -> dict[str, Row]:
    begun = [await _round(site, cast, None) for _ in range(site.rounds)]
    held: dict[str, asyncio.Future[None]] = {}
    agents = cast.add_agents(AGENTS)
    acceptors = [await Acceptor(held).open(site.port, ticket_of(agent)) for agent in agents]
    assigned = [await _round(site, cast, held) for _ in range(site.rounds)]
    for acceptor in acceptors:
        acceptor.socket.close()
    rows = {"begun": begun, "begun and assigned": assigned}
    return {title: medians(found) | {"spread": spread(found, "chats/s")} for title, found in rows.items()}


async def _round(site: Site, cast: Cast, held: dict[str, "asyncio.Future[None]"] | None) -> Row:
    """`held`: where agents tell what they have accepted; without it nobody is waited for."""
    tokens = iter([token for _, token in cast.add_customers(int(MOST * site.seconds))])
    https = [await open_http(site.port) for _ in range(CLIENTS if held is None else WAITING)]
    await asyncio.sleep(site.pause)
    site.settle()
    times: list[float] = []
    used, ends = Used(site, site.web), clock() + site.seconds
    await asyncio.gather(*(_begin_chats(http, tokens, held, times, ends) for http in https))
    row = {"chats/s": len(times) / used.seconds()} | used.row(len(times)) | milliseconds(times)
    for http in https:
        http.close()
    end_all(cast)
    return row


async def _begin_chats(http: Http, tokens: Iterator[str], held: Any, times: list[float], ends: float) -> None:
    for token in tokens:
        if (begun := clock()) > ends:
            return
        body = {"client_id": f"c{next(names)}", "text": "Hello"}
        status, answer = await http.ask(request("POST", "/api/v1/chats", {"Authorization": f"Bearer {token}"}, body))
        if status != 201:
            raise Faulty(f"{status} {answer[:300]!r}")
        if held is not None:
            async with asyncio.timeout(30):
                await future_of(held, json.loads(answer)["chat"]["id"])
        times.append(clock() - begun)
