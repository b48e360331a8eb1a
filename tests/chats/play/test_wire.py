"""What a robot makes of answers, whole and torn."""

import asyncio
import json

import pytest

from chats.play.wire import Ended, Refusal, call

BODY = json.dumps({"index": 7}).encode()
HEAD = b"HTTP/1.1 201 Created\r\nvary: Accept\r\nContent-Length: %d\r\n\r\n" % len(BODY)
REFUSED = b'HTTP/1.1 409 Conflict\r\nvary: Accept\r\ncontent-length: 17\r\n\r\n{"code":"closed"}'


async def answered(given):
    """What `call` makes of these bytes, behind which the connection ends."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(given)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await call(f"http://127.0.0.1:{port}/")


async def test_a_whole_answer():
    assert await answered(HEAD + BODY) == {"index": 7}
    assert await answered(b"HTTP/1.1 204 No Content\r\n\r\n") is None


@pytest.mark.parametrize("kept", range(0, len(HEAD + BODY), 7))
async def test_an_answer_that_is_torn_anywhere_is_none(kept):
    with pytest.raises(Ended):
        await answered((HEAD + BODY)[:kept])


@pytest.mark.parametrize("kept", [len(b"HTTP/1.1 409 Conflict\r\n"), 40, len(REFUSED) - 1])
async def test_nor_is_a_refusal(kept):
    with pytest.raises(Ended):
        await answered(REFUSED[:kept])


async def test_a_whole_refusal():
    with pytest.raises(Refusal) as refused:
        await answered(REFUSED)
    assert refused.value.code == "closed"
