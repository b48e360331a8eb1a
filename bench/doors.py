"""The HTTP doors: chats that were begun through them, and what their clients ask, as ready bytes."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bench.cast import Cast, Held
from bench.site import Running, Site
from bench.sums import Row, milliseconds
from bench.talk import Faulty, Used, clock, names
from bench.wires import Http, open_http, request
from chats.demo.genesys import build_genesys
from chats.demo.hyperchat import build_hyperchat
from chats.models import Chat, ForeignChat, ForeignCustomer
from contactcenter.models import Registration

CHATS = 400  # customers may write 60 messages in a row, so each has few
CLIENTS = 64  # kept connections, each with one request at a time

Ask = Callable[[Held], bytes]


@dataclass
class Door:
    """What one API's clients send in a chat. `post` says something new each time; `poll` has nothing new to get (not every API polls)."""

    held: list[Held]
    post: Ask
    poll: Ask | None = None


def all_doors(cast: Cast) -> dict[str, Door]:
    return {"REST v1": rest(cast), "Genesys": genesys(cast), "HyperChat": hyperchat(cast)}


def rest(cast: Cast) -> Door:
    def post(one: Held) -> bytes:
        body = {"client_id": f"m{next(names)}", "text": "Hello"}
        return request("POST", f"/api/v1/chats/{one.chat.pk}/messages", _bearer(one.token), body)

    def poll(one: Held) -> bytes:
        return request("GET", f"/api/v1/chats/{one.chat.pk}/events?after={one.chat.index}", _bearer(one.token))

    return Door(_chats(cast), post, poll)


def genesys(cast: Cast) -> Door:
    keys = build_genesys(cast.center, [])["genesys"]
    registration = Registration.objects.get(foreign_id=keys["contact_center_id"])
    held = _chats(cast, registration)
    headers = {"ContactCenterId": keys["contact_center_id"]}
    paths = {one.chat.pk: f"/api/v2/chats/{_foreign(registration, one.chat).external_id}" for one in held}

    def post(one: Held) -> bytes:
        return request("POST", paths[one.chat.pk], headers, {"operationName": "SendMessage", "text": "Hello"})

    def poll(one: Held) -> bytes:
        return request("GET", f"{paths[one.chat.pk]}/messages?index=1000000", headers)

    return Door(held, post, poll)


def hyperchat(cast: Cast) -> Door:
    keys = build_hyperchat(cast.center, [], {})["hyperchat_queue"]
    registration = Registration.objects.get(foreign_id=keys["app_id"])
    held = _chats(cast, registration)
    headers = {"x-hyper-appId": keys["app_id"], "x-hyper-secret": keys["secret"]}

    def post(one: Held) -> bytes:
        body = {"sender": str(one.chat.customer_id), "message": "Hello"}
        return request("POST", f"/v1/chats/{one.chat.pk}/messages", headers, body)

    def poll(one: Held) -> bytes:
        return request("GET", f"/v1/chats/{one.chat.pk}/messages", headers)

    return Door(held, post, poll)


def bare() -> Door:
    """The floor's: it knows its chats by numbers."""
    turns: Iterator[int] = itertools.cycle(range(CHATS))

    def post(_one: Any) -> bytes:
        return request("POST", f"/chats/{next(turns)}/messages", {}, {"client_id": f"m{next(names)}", "text": "Hello"})

    def poll(_one: Any) -> bytes:
        return request("GET", f"/chats/{next(turns)}/head", {})

    return Door([], post, poll)


async def ask_each(server: Running, held: list[Any], ask: Ask) -> None:
    """Once, one after the other."""
    http = await open_http(server.port)
    for one in held:
        await _ask_well(http, ask(one))
    http.close()


async def rate(site: Site, server: Running, held: list[Any], ask: Ask, what: str) -> Row:
    """How many requests a second are answered, and what they cost. `what`: the column. Raises Faulty for an answer that is no success."""
    https = [await open_http(server.port) for _ in range(CLIENTS)]
    turns = itertools.cycle(held or [None])
    times: list[float] = []
    ends = clock() + site.seconds * 1.1
    work = [asyncio.ensure_future(_repeat(http, turns, ask, times, ends)) for http in https]
    await asyncio.sleep(site.seconds / 10)
    times.clear()
    used = Used(site, server)
    await asyncio.sleep(max(ends - clock() - 0.01, 0))
    row = {what: len(times) / used.seconds()} | used.row(len(times)) | milliseconds(times)
    await asyncio.gather(*work)
    for http in https:
        http.close()
    return row


async def _repeat(http: Http, turns: Iterator[Any], ask: Ask, times: list[float], ends: float) -> None:
    while (begun := clock()) < ends:
        await _ask_well(http, ask(next(turns)))
        times.append(clock() - begun)


async def _ask_well(http: Http, asked: bytes) -> None:
    status, body = await http.ask(asked)
    if status >= 300:
        raise Faulty(f"{status} {body[:300]!r}")


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _chats(cast: Cast, registration: Registration | None = None) -> list[Held]:
    """Chats that agents hold; with a registration as if its clients had begun them."""
    held = cast.add_chats(CHATS, agents=CHATS // 10, channel=registration.channel if registration else None)
    if registration:
        own: dict[str, Any] = {"center": cast.center, "registration": registration}
        ForeignChat.objects.bulk_create([ForeignChat(**own, chat=one.chat, external_id=str(uuid4())) for one in held])
        ForeignCustomer.objects.bulk_create([ForeignCustomer(**own, customer_id=one.chat.customer_id) for one in held])
        cast.center.chats.filter(channel=registration.channel).update(is_foreign=True)
        if room := registration.rooms.first():
            cast.center.chats.filter(channel=registration.channel).update(team=room.team)
    return held


def _foreign(registration: Registration, chat: Chat) -> ForeignChat:
    return ForeignChat.objects.get(registration=registration, chat=chat)
