"""Both ways to run, robot agents who type, and the application of the demo that gadgets and connectors belong to."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

from tests.services.expertflow.programs import Connector, Gadget, Program
from tests.services.nginx import Nginx
from tests.services.site import ROOT, Site
from tests.services.stack import Stack

SERVICES = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.nginx, pytest.mark.slow]
# As in production: who shows no secret is no connector.
PREPARE = "from contactcenter.models import Registration; Registration.objects.update(demands_secret=True)"


class Embedded(Site):
    """One process."""

    @property
    def urls(self) -> list[str]:
        """Of its servers."""
        return [self.url]

    def crash(self) -> None:
        """kill -9 of a server that programs talk to, and another start of it."""
        self.stop(signal.SIGKILL)
        self.start()


class Services(Stack):
    """Two servers behind nginx, which is where programs go: any request to any server, a session's to its own."""

    def __init__(self, data: Path, postgres_url: str) -> None:
        super().__init__(data, postgres_url)
        self.nginx = Nginx(data, list(self.ports.values()))

    def start(self) -> "Services":
        super().start()
        self.nginx.start()
        return self

    @property
    def url(self) -> str:
        return self.nginx.url

    def crash(self) -> None:
        self.kill("web-2")
        self.start_web("web-2")
        self.wait_ready(self.urls[-1])

    def stop(self) -> None:
        self.nginx.stop()
        super().stop()


@pytest.fixture(scope="session", params=["embedded", pytest.param("services", marks=SERVICES)])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    data = tmp_path_factory.mktemp(request.param)
    running = Embedded(data) if request.param == "embedded" else Services(data, os.environ["DATABASE_URL"])
    try:
        if isinstance(running, Services):
            running.start()
        running.manage("shell", "-c", PREPARE)
        yield running
    finally:
        running.stop()


class Robots:
    """`manage.py play agents --type` as a process, for all tests of an installation."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.process: subprocess.Popen[bytes] | None = None

    def come(self) -> None:
        """Three of them, if they are not there."""
        if self.process:
            return
        where = [argument for url in self.house.urls for argument in ("--url", url)]
        command = [sys.executable, "manage.py", "play", "agents", "--count", "3", "--capacity", "8", "--type", *where]
        with (self.house.data / "robots.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.house.environment, stdout=log, stderr=log)

    def leave(self) -> None:
        """They say that they go."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="session")
def robots(house: Any) -> Iterator[Robots]:
    made = Robots(house)
    yield made
    made.leave()


class Application:
    """The demo's: how its clients are configured, and what it may ask with its secret."""

    def __init__(self, demo: dict[str, Any], url: str) -> None:
        self.url = url
        self.keys: dict[str, str] = demo["expertflow"]
        self.shop_secret: str = demo["application"]["secret"]  # of another application of the center
        self.programs: list[Program] = []

    def gadget(self, library: str = "4.8", transports: str = "", *, url: str = "", **init: Any) -> Gadget:
        """A gadget whose visitor begins a chat. `init`: further members of its request."""
        told = {"firstName": "Mia", "channel": "web", "subject": self.keys["subject"], "language": "en", **init}
        return self._add(Gadget(url or self.url, library, transports, center=self.center, init=told))

    def window(self, gadget: Gadget, library: str = "4.8", transports: str = "", *, url: str = "") -> Gadget:
        """Another window of the same visitor."""
        return self.window_of(gadget.conversation, library, transports, url=url or gadget.url)

    def window_of(self, begun: dict[str, Any], library: str = "4.8", transports: str = "", *, url: str = "") -> Gadget:
        """A window for the conversation that init answered with."""
        return self._add(Gadget(url or self.url, library, transports, center=self.center, init={}, conversation=begun))

    def connector(self, channel: str, library: str = "4.8", *, url: str = "", **settings: Any) -> Connector:
        secret = {"center": self.center, "secret": self.keys["secret"], "channel": channel}
        return self._add(Connector(url or self.url, library, **secret, **settings))

    @property
    def center(self) -> str:
        return self.keys["contact_center_id"]

    def _add(self, program: Any) -> Any:
        self.programs.append(program)
        return program

    # What its own server asks over REST -------------------------------------------------------------------------------

    def transcript(self, conversation_id: str, kind: str = "pdf") -> tuple[int, bytes]:
        return get(f"{self.url}/api/customer/transcript/{conversation_id}/{kind}")

    def history(self, account: str) -> list[dict[str, Any]]:
        """All messages of an account, the oldest first, as a reader of the history shows them."""
        query = {"refId": account, "page": 1, "pageSize": 200, "contactCenterId": self.center}
        status, _answer = get(f"{self.url}/api/getMessagesByRefId?{urlencode(query)}")
        assert status == 401
        asked = urlencode(query | {"secret": self.keys["secret"]})
        status, answer = get(f"{self.url}/legacy/api/getMessagesByRefId?{asked}")
        assert status == 200, answer
        found = json.loads(answer)
        assert int(found["metaData"]["totalMessages"]) == len(found["messages"])
        messages = sorted(found["messages"], key=lambda message: message["timestamp"])
        return [message | {"text": unquote(message["text"])} for message in messages]

    def send_outbound(self, **members: Any) -> dict[str, Any]:
        """The call for third parties."""
        headers = {"Authorization": f"Bearer {self.shop_secret}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/outbound-messages", json.dumps(members).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status in (200, 201)
            return dict(json.loads(answer.read()))


@pytest.fixture
def application(house: Any) -> Iterator[Application]:
    made = Application(house.demo, house.url)
    yield made
    for program in made.programs:
        if program.process.poll() is None:
            program.stop()


def get(address: str) -> tuple[int, bytes]:
    """Status and body."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
