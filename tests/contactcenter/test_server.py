"""The web server's own limits, with real connections: requests that never begin, or never end beginning."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from contactcenter import server
from contactcenter.server import HttpProtocol, SocketProtocol

pytestmark = pytest.mark.both

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    config = uvicorn.Config(
        answer,
        port=0,
        http=HttpProtocol,
        ws=SocketProtocol,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    running = uvicorn.Server(config)
    monkeypatch.setattr(running, "capture_signals", contextlib.nullcontext)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    await task


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        async with asyncio.timeout(3):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def is_open_after(port: int, sent: bytes, seconds: float) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(1000):
                pass
        return False
    except TimeoutError:
        return True
    finally:
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n", b"\r\n\r\n"])
async def test_a_request_that_does_not_begin_is_not_waited_for(port: int, sent: bytes) -> None:
    assert await talk(port, sent) == b""


async def test_a_head_that_comes_in_drops_is_not_waited_for(port: int) -> None:
    drops = [REQUEST[:10], *(b"a" for _ in range(10))]
    assert await talk(port, *drops, pause=0.05) == b""


async def test_a_head_without_end_is_refused(port: int) -> None:
    answered = await talk(port, REQUEST[:-2], *(b"x-%d: " % n + b"y" * 8000 + b"\r\n" for n in range(40)), pause=0.001)
    assert answered.startswith(b"HTTP/1.1 400") or answered == b""
    assert b"200" not in answered


async def test_blank_lines_after_a_request_keep_nothing_open(port: int) -> None:
    assert (await talk(port, REQUEST, b"\r\n", pause=0.05)).startswith(b"HTTP/1.1 200")


async def test_requests_and_websockets_last_as_long_as_they_like(port: int) -> None:
    assert await is_open_after(port, REQUEST, 0.8)
    assert await is_open_after(port, REQUEST + REQUEST, 0.8)
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert await is_open_after(port, upgrade, 0.8)
