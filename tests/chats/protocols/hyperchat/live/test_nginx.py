"""Two server processes behind nginx as deploy/ has it: whoever comes finds its session again, whatever its transports."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread

from tests.chats.protocols.hyperchat.conftest import ORIGIN
from tests.chats.protocols.hyperchat.live.test_browser import MODULES
from tests.chats.sockets.test_server import serve  # noqa: F401 - a fixture
from tests.services.nginx import MARKS, Nginx

pytestmark = [pytest.mark.slow, pytest.mark.nginx, pytest.mark.node, pytest.mark.socketio]
MANY = 8
SECONDS = 60


class Crowd:
    """A process with so many connections of one library; `refused`: what they were told instead of being let in."""

    async def open(self, url: str, auth: dict[str, Any], library: str, transports: str) -> "Crowd":
        self.name, self.transport = f"{library} over {transports}", transports.rpartition(",")[2]
        script = str(Path(__file__).with_name("crowd.mjs"))
        arguments = [script, str(MODULES.parent), library, url, transports, ORIGIN, json.dumps(auth), str(MANY)]
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        self.process = await asyncio.create_subprocess_exec("node", *arguments, **pipes)
        self.sids: dict[int, str] = {}
        self.refused: list[str] = []
        return self

    async def settle(self, *marks: str) -> None:
        """Wait until all are connected, on servers of these marks."""
        async with asyncio.timeout(SECONDS):
            while len(self.sids) < MANY or not {sid.partition(".")[0] for sid in self.sids.values()} <= {*marks}:
                line = json.loads(await self.process.stdout.readline())
                if "refused" in line:
                    self.refused.append(line["refused"])
                else:
                    assert line["transport"] == self.transport, self.name
                    self.sids[line["number"]] = line["sid"]

    async def stop(self) -> None:
        self.process.stdin.close()
        async with asyncio.timeout(SECONDS):
            await self.process.wait()


@pytest.fixture
def front(serve, tmp_path) -> Iterator[Nginx]:  # noqa: F811
    """`.servers`: those behind it."""
    servers = [serve(mark, SERVER_MARK=mark, REDIS_URL="") for mark in MARKS]
    nginx = Nginx(tmp_path, [server.port for server in servers]).start()
    nginx.servers = servers
    yield nginx
    nginx.stop()


async def test_sessions_find_their_server_and_begin_anew_when_it_is_gone(front, queued):
    mia = await in_thread(queued.user)()
    auth = {"appId": queued.app_id, "token": mia.token}
    kinds = [
        (name, ways) for name in ("socket.io-client", "socket.io-client-2") for ways in ("polling", "polling,websocket")
    ]
    crowds = [await Crowd().open(front.url, auth, *kind) for kind in kinds]
    await asyncio.gather(*(crowd.settle(*MARKS) for crowd in crowds))
    assert [crowd.refused for crowd in crowds] == [[]] * 4
    used = [sid.partition(".")[0] for crowd in crowds for sid in crowd.sids.values()]
    assert min(used.count(mark) for mark in MARKS) >= MANY, "both have their share"
    assert " 400 " not in " ".join(front.lines())
    await in_thread(front.servers[0].end)(signal.SIGKILL)
    await asyncio.gather(*(crowd.settle(MARKS[1]) for crowd in crowds))
    await asyncio.gather(*(crowd.stop() for crowd in crowds))
