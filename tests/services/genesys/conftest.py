"""Both ways to run, robot agents who type, and pages of each kind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.services.genesys.client import Page, TransportPage
from tests.services.site import ROOT, Site
from tests.services.stack import Stack

SERVICES = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]
KINDS = ["apikey", "ContactCenterId", "eservices"]


@pytest.fixture(scope="session", params=["embedded", pytest.param("services", marks=SERVICES)])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    data = tmp_path_factory.mktemp(request.param)
    running = Site(data) if request.param == "embedded" else Stack(data, os.environ["DATABASE_URL"])
    try:
        if isinstance(running, Stack):
            running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def urls(house: Any) -> list[str]:
    return house.urls if isinstance(house, Stack) else [house.url]


@pytest.fixture
def crash(house: Any) -> Callable[[], None]:
    """kill -9 of the server that the pages talk to, and another start of it."""

    def strike() -> None:
        if isinstance(house, Stack):
            house.kill("web-2")
            house.start_web("web-2")
            house.wait_ready(house.urls[-1])
        else:
            house.stop(signal.SIGKILL)
            house.start()

    return strike


class Robots:
    """`manage.py play agents --type` as a process; gone at the end."""

    def __init__(self, house: Any, urls: list[str]) -> None:
        self.house, self.urls = house, urls
        self.process: subprocess.Popen[bytes] | None = None

    def come(self, count: int = 1) -> None:
        where = [argument for url in self.urls for argument in ("--url", url)]
        wanted = ["--count", str(count), "--capacity", "5", "--type"]
        command = [sys.executable, "manage.py", "play", "agents", *wanted, *where]
        with (self.house.data / "robots.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.house.environment, stdout=log, stderr=log)

    def leave(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)


@pytest.fixture
def robots(house: Any, urls: list[str]) -> Iterator[Robots]:
    made = Robots(house, urls)
    yield made
    made.leave()


@pytest.fixture(params=KINDS)
def page(request: pytest.FixtureRequest, house: Any, urls: list[str]) -> Iterator[Page]:
    """A page of each kind, at the last server."""
    keys = house.demo["genesys"]
    headers = {"apikey": keys["api_key"]} if request.param == "apikey" else {}
    headers |= {"ContactCenterId": keys["contact_center_id"]} if request.param == "ContactCenterId" else {}
    made = (TransportPage if request.param == "eservices" else Page)(urls[-1], headers)
    yield made
    made.close()
