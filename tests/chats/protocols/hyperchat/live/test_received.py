"""Proof that a client has what it was told, or that it has gone: clients that say and read only what the test lets them."""

import asyncio
import contextlib
from types import SimpleNamespace

import httpx
import pytest
from asgiref.sync import sync_to_async as in_thread
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from chats.doors.socketio import wire as wires
from tests.chats.protocols.hyperchat.conftest import ORIGIN
from tests.chats.protocols.hyperchat.live.conftest import SECONDS

LARGE = {"text": "x" * 500_000}


@pytest.fixture
async def told(house, queued):
    """`open(version)`: a websocket whose client has connected; `.tell(data)`: what it is told, and `.asked` whether it has come."""
    mia = await in_thread(queued.user)()
    async with contextlib.AsyncExitStack() as stack:

        async def open(version: int) -> SimpleNamespace:
            address = f"ws://127.0.0.1:{house.port}/v1/socket.io/?EIO={version}&transport=websocket"
            address += f"&appId={queued.app_id}&token={mia.token}"
            options = {"origin": ORIGIN, "compression": None, "max_size": None, "ping_interval": None}
            wire = await stack.enter_async_context(connect(address, close_timeout=0.1, **options))
            if version == 4:
                await wire.send("40")
            while not (await wire.recv()).startswith("40"):
                pass
            (client,) = house.live.clients.values()

            def tell(data: object) -> "asyncio.Task[bool]":
                client.tell("news", {"data": data})
                return asyncio.create_task(client.received())

            return SimpleNamespace(wire=wire, tell=tell, client=client)

        yield open


async def until(wire, text):
    async with asyncio.timeout(SECONDS):
        while await wire.recv() != text:
            pass


async def answer_of(asked: "asyncio.Task[bool]") -> bool:
    async with asyncio.timeout(SECONDS):
        return await asked


async def test_a_websocket_is_asked_and_its_pong_is_the_proof(told):
    one = await told(4)
    first, second = one.tell(1), one.tell(2)
    await until(one.wire, '42["news",{"data":1}]')
    await until(one.wire, "2")
    await until(one.wire, "2")
    assert not first.done()
    await one.wire.send("3")
    assert await answer_of(first) is True
    assert not second.done()
    await one.wire.send("3")
    assert await answer_of(second) is True
    last = one.tell(3)
    await until(one.wire, "2")
    await one.wire.close()
    assert await answer_of(last) is False
    assert await one.client.received() is False, "it has gone"


@pytest.mark.parametrize("version", [4, 3])
async def test_who_vanishes_without_a_word_has_not_received_it(house, told, monkeypatch, version):
    monkeypatch.setattr(house.live.gate.engine.eio, "ping_interval", 0.2)
    monkeypatch.setattr(house.live.gate.engine.eio, "ping_timeout", 0.5)
    one = await told(version)
    one.wire.transport.pause_reading()
    assert await answer_of(one.tell(1)) is False
    await house.until_empty()


@pytest.mark.parametrize("version", [4, 3])
async def test_a_slow_reader_has_received_it_when_it_has_read_it(told, version):
    one = await told(version)
    one.wire.transport.pause_reading()
    asked = [one.tell(LARGE) for _ in range(20)]
    while one.client._waiting:
        await asyncio.sleep(0.01)
    assert not any(task.done() for task in asked)
    one.wire.transport.resume_reading()
    reading = asyncio.create_task(read(one.wire))
    assert await answer_of(asyncio.gather(*asked)) == [True] * 20
    await one.wire.close()
    assert sum(text.startswith("42") for text in await reading) == 20


async def read(wire):
    """All that comes; what asks is answered."""
    seen = []
    async for text in wire:
        seen.append(text)
        if text == "2":
            await wire.send("3")
    return seen


async def test_who_never_reads_is_dropped_and_has_not_received_it(house, told, monkeypatch):
    monkeypatch.setattr(wires, "STALLED_SECONDS", 0.3)
    one = await told(4)
    one.wire.transport.pause_reading()
    asked = [one.tell(LARGE) for _ in range(20)]
    assert await answer_of(asked[-1]) is False
    await house.until_empty()
    one.wire.transport.resume_reading()
    with pytest.raises(ConnectionClosed):
        while True:
            await one.wire.recv()


@pytest.mark.parametrize("version", [4, 3])
async def test_a_poll_is_received_when_the_next_one_begins_or_the_upgrade(house, queued, version):
    mia = await in_thread(queued.user)()
    address = f"/v1/socket.io/?EIO={version}&transport=polling&appId={queued.app_id}&token={mia.token}"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}", timeout=SECONDS) as http:
        await http.get(address)
        (session,) = house.live.gate.engine.sessions
        address += f"&sid={session}"
        if version == 4:
            await http.post(address, content="40")
        while "40" not in (await http.get(address)).text:
            pass
        (client,) = house.live.clients.values()
        client.tell("news", {"data": 1})
        asked = asyncio.create_task(client.received())
        poll = await http.get(address)
        assert "news" in poll.text
        if "6" not in poll.text[-1]:  # the question waited for the next
            assert (await http.get(address)).text[-1] == "6"
        assert not asked.done()
        waiting = asyncio.create_task(http.get(address))
        assert await answer_of(asked) is True
        client.tell("news", {"data": 2})
        await waiting
        last = asyncio.create_task(client.received())
        assert (await http.get(address)).text[-1] == "6"
        assert not last.done()
        upgrade = address.replace("polling", "websocket")
        async with connect(f"ws://127.0.0.1:{house.port}{upgrade}", origin=ORIGIN) as wire:
            await wire.send("2probe")
            await until(wire, "3probe")
            assert not last.done()
            await wire.send("5")
            assert await answer_of(last) is True
            client.tell("news", {"data": 3})
            gone = asyncio.create_task(client.received())
            await until(wire, '42["news",{"data":3}]')
            if version == 4:
                await until(wire, "2")
                await wire.close()
                assert await answer_of(gone) is False
            else:
                assert await answer_of(gone) is True
