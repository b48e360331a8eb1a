"""What this machine cannot run is taken out by name and told in the last lines; with --all that is a failure."""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import redis

TEST_REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def _postgres() -> str:
    on_postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    return "" if on_postgres else "this run's DATABASE_URL names no PostgreSQL"


def _redis() -> str:
    try:
        with redis.Redis.from_url(TEST_REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except (redis.RedisError, OSError):
        return f"no Redis answers at {TEST_REDIS_URL}"
    return ""


def _chromium() -> str:
    own = Path.home() / ".cache/ms-playwright"
    found = any(map(shutil.which, CHROMIUM)) or any(own.glob("chromium*"))
    return "" if found else "Chromium is not installed"


def _program(name: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(name) or Path(f"/usr/sbin/{name}").exists() else f"{name} is not installed"


def _package(*names: str) -> Callable[[], str]:
    folder = Path(__file__).parents[1] / "tools/node_modules"
    missing = [name for name in names if not (folder / name).exists()]
    return lambda: f"{', '.join(missing)} is not installed (npm install in tools/)" if missing else ""


NEEDS: dict[str, Callable[[], str]] = {
    "axe": cache(_package("axe-core")),
    "socketio": cache(_package("socket.io-client", "socket.io-client-2", "socket.io-client-3")),
    "postgres": cache(_postgres),
    "redis": cache(_redis),
    "standardwebhooks": cache(_package("standardwebhooks")),
    "browser": cache(_chromium),
    "nginx": cache(_program("nginx")),
    "node": cache(_program("node")),
    "dovecot": cache(_program("dovecot")),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="fail if anything was left out")


class Leftovers:
    """Counts what was taken out, by reason."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = defaultdict(int)
        # What the caller (bin/test) could not do before pytest began, one sentence a line.
        self.others = [line for line in os.environ.get("TESTS_LEFT_OUT", "").splitlines() if line]

    def sentences(self) -> list[str]:
        return [f"{count} tests: {why}" for why, count in sorted(self.counts.items())] + self.others


leftovers = Leftovers()
# Steps of bin/test that failed before pytest began.
failed_before = [line for line in os.environ.get("TESTS_FAILED_BEFORE", "").splitlines() if line]


def _why_not(item: pytest.Item) -> str:
    return next((why for mark, missing in NEEDS.items() if item.get_closest_marker(mark) and (why := missing())), "")


# After -m and -k have chosen: what was not asked for is not left out.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unable = {item: why for item in items if (why := _why_not(item))}
    for why in unable.values():
        leftovers.counts[why] += 1
    if unable:
        config.hook.pytest_deselected(items=list(unable))
        items[:] = [item for item in items if item not in unable]


def pytest_sessionfinish(session: pytest.Session) -> None:
    is_incomplete = session.config.getoption("--all") and leftovers.sentences()
    if (is_incomplete or failed_before) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if sentences := leftovers.sentences():
        is_error = config.getoption("--all")
        terminalreporter.section("left out", red=is_error, yellow=not is_error)
        for sentence in sentences:
            terminalreporter.line(sentence)
    if failed_before:
        terminalreporter.section("failed before the tests", red=True)
        terminalreporter.line(", ".join(failed_before))


@pytest.fixture
def redis_url() -> str:
    """A Redis for tests marked `redis`, emptied before each."""
    with redis.Redis.from_url(TEST_REDIS_URL) as client:
        client.flushdb()
    return TEST_REDIS_URL
