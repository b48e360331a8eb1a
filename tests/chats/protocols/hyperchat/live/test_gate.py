"""What reaches the engine at all: hosts, methods, sizes, packets, places, pace. Raw bytes in, statuses and silence out."""

import asyncio

import httpx
import pytest
from asgiref.sync import sync_to_async as in_thread
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chats.doors.socketio import eio3, engine, gate
from tests.chats.protocols.hyperchat.conftest import ORIGIN
from tests.chats.protocols.hyperchat.live.conftest import PATH, SECONDS

OLD = PATH.replace("EIO=4", "EIO=3")
GARBAGE = [
    "",
    "x",
    "0{}",
    "4",
    "4x",
    "45",
    "47",
    "4{}",
    "4" + "[" * 5000,
    "42",
    "42{}",
    "42[]",
    "42[7]",
    '42["connect"]',
    '42["*"]',
    '42["disconnect","x"]',
    "42" + "[" * 100_000,
    '42["a",' + "9" * 5000 + "]",
    "421" + "1" * 200 + '["a"]',
    "44{}",
    '451-["a",{"_placeholder":true,"num":0}]',
    '452-/x,["a"]',
    "43",
    "43{}",
    "40[]",
    '40"x"',
    "40{",
    "b4AAAA",
    "7",
    "9" * 1000,
    "2" * 100,
    "\0",
    '42["\\ud800"',
    b"\x04binary",
]


@pytest.mark.both
async def test_what_is_no_packet_ends_the_websocket_and_nothing_else(house, queued):
    mia = await in_thread(queued.user)()
    other = await house.user(queued, mia)
    for packet in GARBAGE:
        client = await house.user(queued, mia)
        await client.say(packet)
        await client.gone(8)
    assert await other.ask("users:chats", {}) == {"chats": {}}


async def test_what_is_no_packet_is_no_poll(house, queued):
    mia = await in_thread(queued.user)()
    for packet in GARBAGE:
        client = await house.user(queued, mia, transport="polling")
        status = await client.wire.send(packet)
        if status == 200:  # looked at, and no more
            await client.gone(8)
        assert status in (200, 400), packet
        await client.wire.send("1")
    await house.until_empty()


async def test_what_is_a_packet_and_means_nothing_is_harmless(house, queued):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    for packet in ("40", "40/other,", "41/other,", "43[]", "431[]", "6", "5", "2", "3", '40/x,{"a":1}') * 3:
        await client.say(packet)
    assert await client.ask("users:chats", {}) == {"chats": {}}


async def test_polls_are_refused_for_what_no_client_of_theirs_does(house, queued):
    client = house.raw("polling")
    http, address = client.wire.http, client.wire.address
    for answer in (
        await http.get(f"{address}&j=0"),
        await http.put(address, content="x"),
        await http.delete(address),
        await http.get(address.replace("EIO=4", "EIO=2")),
        await http.get(address.replace("polling", "carrier-pigeon")),
        await http.get(f"{address}&sid=no-such"),
        await http.post(f"{address}&sid=no-such", content="3"),
        await http.post(address, content="3"),
        await http.post(address, content="\x1e".join(["3"] * 17)),
        await http.post(address, content=b"\xff\xfe"),
        await http.get(address, headers={"Host": "evil.example"}),
        await http.get("/v1/socket.io"),
    ):
        assert answer.status_code in (400, 405), answer.text
    with pytest.raises(httpx.HTTPError):  # refused before it has read it all, or as a status
        (await http.post(address, content=b"3" * 1_100_000)).raise_for_status()
    assert (await http.get("/v1/socket.iox")).status_code == 404
    assert len(house.live.gate.engine.sessions) == 0


async def test_one_session_waits_in_one_poll_and_its_end_ends_it(house, queued):
    client = house.raw("polling")
    await client.wire.receive()
    waiting = [asyncio.ensure_future(client.wire.http.get(client.wire.address)) for _ in range(4)]
    done, left = await asyncio.wait(waiting, timeout=1)
    assert [answer.result().status_code for answer in done] == [400] * 3
    await client.wire.send("1")
    assert (await left.pop()).status_code == 200


async def test_a_strange_host_is_no_websocket(house, queued, settings):
    settings.ALLOWED_HOSTS = ["chat.example"]
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{house.port}{PATH}websocket", origin=ORIGIN)


async def test_a_full_house_says_so(house, queued, monkeypatch):
    mia = await in_thread(queued.user)()
    inside = await house.user(queued, mia, transport="polling")
    monkeypatch.setattr(gate, "MOST_SESSIONS", 1)
    late = house.raw("polling")
    assert (await late.wire.http.get(late.wire.address)).status_code == 503
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{house.port}{PATH}websocket", origin=ORIGIN)
    assert await inside.ask("users:chats", {}) == {"chats": {}}


async def test_who_begins_too_many_sessions_is_slowed_down_by_address(house, queued, settings):
    settings.ANONYMOUS_RATE = 5
    statuses = []
    for _ in range(8):
        client = house.raw("polling")
        statuses.append((await client.wire.http.get(client.wire.address)).status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 429
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{house.port}{PATH}websocket", origin=ORIGIN)


async def test_a_large_frame_is_taken_and_a_larger_one_is_not(house, queued):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    assert await client.ask("users:chats", {"more": "x" * 900_000}) == {"chats": {}}
    await client.say('42["users:chats",{"more":"' + "x" * 1_000_000 + '"}]')
    await client.gone()


async def test_a_client_may_begin_with_polls_and_go_on_with_a_websocket(house, queued, ann):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia, transport="polling")
    chat = (await client.ask("chats:create", {"room": "1"}))["chat"]
    client.reading.cancel()
    session = client.wire.address.partition("&sid=")[2]
    async with connect(f"ws://127.0.0.1:{house.port}{PATH}websocket&sid={session}", origin=ORIGIN) as wire:
        await wire.send("2probe")
        assert await wire.recv() == "3probe"
        await wire.send("5")
        await wire.send(f'427["messages:send",{{"chatId":"{chat["id"]}","message":"Hi"}}]')
        found = ""
        while not found.startswith("437"):
            found = await wire.recv()
        assert '"message":"Hi"' in found
        await wire.send("junk")
        with pytest.raises(ConnectionClosed):
            while True:
                await wire.recv()
    await house.until_empty()
    assert house.live.gate.engine.wires == {}


async def test_what_is_no_packet_ends_a_websocket_of_protocol_3_too(house, queued):
    mia = await in_thread(queued.user)()
    address = f"ws://127.0.0.1:{house.port}{OLD}websocket&appId={queued.app_id}&token={mia.token}"
    for packet in GARBAGE:
        async with connect(address, origin=ORIGIN) as wire, asyncio.timeout(SECONDS):
            while await wire.recv() != "40":
                pass
            for harmless in ("40", "40/?token=x", "41/other,", "43[]", "2probe", "3", "6"):
                await wire.send(harmless)
            await wire.send(packet)
            with pytest.raises(ConnectionClosed):
                while True:
                    await wire.recv()
    await house.until_empty()


async def test_polls_of_protocol_3_have_the_same_limits(house, queued, monkeypatch):
    mia = await in_thread(queued.user)()
    address = f"{OLD}polling&appId={queued.app_id}&token={mia.token}"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}", timeout=SECONDS) as http:

        async def begin() -> str:
            before = set(house.live.gate.engine.sessions)
            assert (await http.get(address)).text.partition(":")[2].startswith("0{")
            (session,) = set(house.live.gate.engine.sessions) - before
            assert (await http.get(f"{address}&sid={session}")).text == "2:40"
            return f"{address}&sid={session}"

        for packet in GARBAGE:
            own = await begin()
            body = eio3.body_of([packet]) if isinstance(packet, str) else packet
            status = (await http.post(own, content=body)).status_code
            if status == 200:  # looked at, and no more
                while "1:1" not in (answer := await http.get(own)).text and answer.status_code == 200:
                    pass
            assert status in (200, 400), packet
            await http.post(own, content="1:1")
        await house.until_empty()
        own = await begin()
        for body in ("1:3" * 17, "3", '42["x"]', "b4AAAA", "6:b4AAAA", b"\x00\x02\xff40", "", "d=1:3"):
            assert (await http.post(own, content=body)).status_code == 400
        assert (await http.get(f"{own}&j=0")).status_code == 400
        waiting = asyncio.create_task(http.get(own))
        while not house.live.gate._polls:
            await asyncio.sleep(0.01)
        assert (await http.get(own)).status_code == 400, "one poll at a time"
        assert (await http.post(own, content="2:2x2:40")).status_code == 200
        assert (await waiting).text == "2:3x"
        monkeypatch.setattr(engine, "MOST_OWED", 20)
        statuses = [(await http.post(own, content="1:2" * 16)).status_code for _ in range(4)]
        assert statuses == [200, 200, 400, 400], "who asks on and never polls is let go"
        await house.until_empty()


@pytest.mark.parametrize("body", ["2", "6", "42" + "x" * 1_010_000], ids=["ping", "noop", "too long"])
async def test_a_body_that_ends_its_session_is_answered_though_nobody_polls(house, queued, body):
    client = house.raw("polling")
    await client.wire.receive()
    async with asyncio.timeout(SECONDS):
        assert await client.wire.send(body) == 400
        assert await client.wire.send("3") == 400, "the session is over"


async def test_a_sessions_id_begins_with_its_servers_mark(house, queued, settings):
    settings.SERVER_MARK = "web7"
    marked = house.raw("polling")
    await marked.wire.receive()
    settings.SERVER_MARK = ""
    plain = house.raw("polling")
    await plain.wire.receive()
    sessions = list(house.live.gate.engine.sessions)
    assert [session.startswith("web7.") for session in sessions] == [True, False]
    assert "." not in sessions[1]
    assert len({len(session.rpartition(".")[2]) for session in sessions}) == 1
