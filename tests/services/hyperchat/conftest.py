"""Both ways to run, robot agents as they are wanted, and connectors with their web hooks."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from tests.services.hyperchat.client import Hyper
from tests.services.hyperchat.connector import Connector, Person
from tests.services.hyperchat.receiver import Receiver
from tests.services.site import ROOT, Site
from tests.services.stack import Stack

LOOPBACK = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
SERVICES = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]
# An agent who is lost is missed after seconds, not after a minute.
PREPARE = """
from contactcenter.models import Team
Team.objects.filter(key__in=["fitting", "workshop"]).update(grace_seconds=1)
"""


class House(Protocol):
    """A running installation: Site or Stack."""

    demo: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]: ...

    def manage(self, *arguments: str) -> str: ...


@pytest.fixture(scope="session", params=["embedded", pytest.param("services", marks=SERVICES)])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    data = tmp_path_factory.mktemp(request.param)
    running: Any
    if request.param == "embedded":
        running = Site(data, **LOOPBACK)
    else:
        running = Stack(data, os.environ["DATABASE_URL"], **LOOPBACK)
        running.start()
    try:
        running.manage("shell", "-c", PREPARE)
        yield running
    finally:
        running.stop()


@pytest.fixture
def urls(house: Any) -> list[str]:
    return house.urls if isinstance(house, Stack) else [house.url]


class Robots:
    """`manage.py play agents` as processes; all of them gone at the end."""

    def __init__(self, house: Any, urls: list[str]) -> None:
        self.house, self.urls = house, urls
        self.processes: list[subprocess.Popen[bytes]] = []

    def come(self, hyper: Hyper, room: str, *, count: int = 1, capacity: int = 3, **mischief: int) -> None:
        """Start so many, and wait until the room has all of them."""
        wanted = ["--count", str(count), "--capacity", str(capacity)]
        for name, number in mischief.items():
            wanted += [f"--{name}", str(number)]
        where = [argument for url in self.urls for argument in ("--url", url)]
        command = [sys.executable, "manage.py", "play", "agents", *wanted, *where]
        with (self.house.data / "robots.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(command, cwd=ROOT, env=self.house.environment, stdout=log, stderr=log)
            )
        until(lambda: self._are_alive() and hyper.available(room) >= count)

    def _are_alive(self) -> bool:
        """Robots that cannot even start are told at once, with what they said."""
        said = (self.house.data / "robots.log").read_text(errors="replace")
        assert all(process.poll() is None for process in self.processes), said[-2000:]
        return True

    def leave(self) -> None:
        """They say that they go."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(20)
        self.processes.clear()


@pytest.fixture
def robots(house: Any, urls: list[str]) -> Iterator[Robots]:
    made = Robots(house, urls)
    yield made
    made.leave()


class Bridge:
    """A connector and what listens for it."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self.hyper = Hyper(f"{url}/v1", keys["app_id"], keys["secret"])
        self.room = keys["room"]
        self.connector = Connector(self.hyper, self.room)
        self.receiver = Receiver(self.connector.handle)
        self.webhook = self.connector.listen_at(self.receiver.url)

    def trace(self, person: Person) -> list[str]:
        """What web hooks told of the person's last chat, without typing and reading."""
        noise = {"users:activity", "messages:read", "queues:update"}
        return [trigger for trigger in self.receiver.triggers(person.last_chat_id) if trigger not in noise]

    def ended(self, person: Person) -> None:
        """Wait until the connector has heard that the person's chat ended."""
        until(lambda: not person.chat_id)

    def stop(self) -> None:
        """Listens no more; nothing it was told was wrong, and nothing was told twice."""
        self.hyper.call("DELETE", f"webhooks/{self.webhook['id']}")
        self.receiver.stop()
        log = self.receiver.log
        assert log.faults == []
        ids = [call.id for call in log.calls]
        assert all(ids)
        assert len(set(ids)) == len(ids)


@pytest.fixture
def bridge(house: Any, urls: list[str]) -> Iterator[Callable[[str], Bridge]]:
    """bridge("hyperchat"): for that application of the demo; web hooks come from any server, calls go to the last."""
    made: list[Bridge] = []

    def build(name: str) -> Bridge:
        made.append(Bridge(urls[-1], house.demo[name]))
        return made[-1]

    yield build
    for each in made:
        each.stop()


def until(is_so: Callable[[], Any], seconds: float = 40) -> None:
    """Ask again until it is so."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.2)):
        if is_so():
            return
        pause.wait(0.2)
    raise AssertionError("it did not come to be")
