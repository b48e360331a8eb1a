"""The client libraries that browsers use, from npm, in Node.js: three generations, through polling, websocket, and from the one to the other."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from engineio.async_socket import AsyncSocket

from chats.doors.socketio import eio3
from tests.chats.protocols.hyperchat.conftest import ORIGIN
from tests.chats.protocols.hyperchat.live.conftest import accept
from tests.chats.protocols.hyperchat.live.test_talk import say_as_agent

MODULES = Path(__file__).resolve().parents[5] / "tools/node_modules"
pytestmark = [pytest.mark.node, pytest.mark.socketio]
SECONDS = 15
LIBRARIES = ["socket.io-client", "socket.io-client-3", "socket.io-client-2"]
TRANSPORTS = ["websocket", "polling", "polling,websocket"]


class Browser:
    """A process with the library. `said`: what it told, in order."""

    async def open(
        self, port: int, auth: dict[str, Any], transports: str, origin: str = ORIGIN, library: str = LIBRARIES[0]
    ) -> "Browser":
        script = Path(__file__).with_name("browser.mjs")
        arguments = [str(MODULES.parent), library, f"http://127.0.0.1:{port}", transports, origin, json.dumps(auth)]
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "limit": 1_000_000}
        self.process = await asyncio.create_subprocess_exec("node", str(script), *arguments, **pipes)
        self.said: list[dict[str, Any]] = []
        return self

    async def until(self, key: str, **fields: Any) -> dict[str, Any]:
        """The next line that has this key and these members."""
        async with asyncio.timeout(SECONDS):
            while True:
                line = json.loads(await self.process.stdout.readline())
                self.said.append(line)
                if key in line and all(line.get(name) == value for name, value in fields.items()):
                    return line

    async def ask(self, name: str, data: Any) -> Any:
        self.process.stdin.write(json.dumps({"ask": [name, data]}).encode() + b"\n")
        return (await self.until("answer"))["answer"]

    async def stop(self) -> None:
        self.process.stdin.write(b'{"stop":true}\n')
        self.process.stdin.close()
        async with asyncio.timeout(SECONDS):
            await self.process.wait()


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_a_chat_through_the_real_libraries(house, queued, ann, transports):
    await asyncio.gather(*(converse(house, queued, ann, library, transports) for library in LIBRARIES))
    await house.until_empty()


async def converse(house, queued, ann, library, transports):
    mia = await in_thread(queued.user)()
    auth = {"appId": queued.app_id, "id": str(mia.foreign.customer_id), "token": mia.token}
    browser = await Browser().open(house.port, auth, transports, library=library)
    await browser.until("connected")
    chat = (await browser.ask("chats:create", {"room": "1", "source": 3}))["chat"]
    await browser.until("event", event="queues:update")
    row = await in_thread(accept)(chat["id"], ann)
    await browser.until("event", event="user:joined")
    sent = await browser.ask("messages:send", {"chatId": chat["id"], "message": "Grüß Gott 👋🏽"})
    assert sent["message"]["message"] == "Grüß Gott 👋🏽"
    await in_thread(say_as_agent)(row, ann, "Servus 👋🏽")
    while (heard := await browser.until("event", event="message:received"))["data"]["message"][
        "message"
    ] != "Servus 👋🏽":
        pass
    assert heard["data"]["message"]["sender"] == str(ann.pk)
    assert (await browser.ask("chats:get", {"chatId": "nobody's"}))["error"]["code"] == 404
    assert await browser.ask("chats:close", {"chatId": chat["id"]}) == {"success": True}
    names = [line.get("event") for line in browser.said]
    if "chat:closed" not in names:
        await browser.until("event", event="chat:closed")
    assert "system:info" in [line.get("event") for line in browser.said]
    used = [line["transport"] for line in browser.said if "answer" in line]
    assert used[-1] == transports.rpartition(",")[2]
    await browser.stop()


@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_the_libraries_stay_while_nothing_is_said_and_prove_what_they_got(house, queued, monkeypatch, transports):
    beats: dict[str, int] = {}
    schedule_ping = AsyncSocket.schedule_ping

    def count(session: AsyncSocket) -> None:
        beats[session.sid] = beats.get(session.sid, 0) + bool(session.last_ping)
        schedule_ping(session)

    monkeypatch.setattr(AsyncSocket, "schedule_ping", count)
    monkeypatch.setattr(house.live.gate.engine.eio, "ping_interval", 0.2)
    monkeypatch.setattr(house.live.gate.engine.eio, "ping_timeout", 3)
    monkeypatch.setattr(eio3, "PING_MILLISECONDS", 200)
    mia = await in_thread(queued.user)()
    auth = {"appId": queued.app_id, "token": mia.token}
    browsers = [await Browser().open(house.port, auth, transports, library=library) for library in LIBRARIES]
    await asyncio.gather(*(browser.until("connected") for browser in browsers))
    async with asyncio.timeout(SECONDS):
        while len(beats) < len(browsers) or min(beats.values()) < 6:
            await asyncio.sleep(0.02)
    large = "👋🏽ü" * 8_000
    for client in house.live.clients.values():
        client.tell("large", {"text": large})
    assert await asyncio.gather(*(client.received() for client in house.live.clients.values())) == [True] * 3
    for browser in browsers:
        assert (await browser.until("event", event="large"))["data"] == {"text": large}
        assert await browser.ask("users:chats", {"more": large}) == {"chats": {}}
        assert "disconnected" not in [name for line in browser.said for name in line]
    for session in list(house.live.gate.engine.sessions):
        await house.live.gate.engine.end(session)
    for browser in browsers:
        await browser.until("disconnected")
        await browser.until("connected")
        await browser.stop()
    await house.until_empty()


async def test_the_libraries_hear_why_they_are_refused(house, queued):
    for transports in TRANSPORTS:
        wrong = {"appId": queued.app_id, "token": "wrong"}
        browser = await Browser().open(house.port, wrong, transports, library="socket.io-client-2")
        assert (await browser.until("refused"))["refused"] == "Wrong credentials"
        await browser.stop()
    browser = await Browser().open(house.port, {"appId": queued.app_id, "token": "wrong"}, "websocket")
    refused = await browser.until("refused")
    assert refused["refused"] == "Wrong credentials"
    assert refused["data"] == {"error": {"code": 401, "message": "Wrong credentials"}}
    await browser.stop()
    stranger = await Browser().open(house.port, {}, "polling,websocket", origin="https://evil.example")
    assert "refused" in await stranger.until("refused")
    await stranger.stop()


async def test_the_library_comes_back_by_itself_after_the_server_let_it_go(house, queued):
    mia = await in_thread(queued.user)()
    browser = await Browser().open(house.port, {"appId": queued.app_id, "token": mia.token}, "polling,websocket")
    first = await browser.until("connected")
    for session in list(house.live.gate.engine.sessions):
        await house.live.gate.engine.end(session)
    await browser.until("disconnected")
    again = await browser.until("connected")
    assert again["connected"] != first["connected"]
    assert await browser.ask("users:chats", {}) == {"chats": {}}
    await browser.stop()
