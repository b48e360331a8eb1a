"""What the processes count together: in Redis where it answers, else each for itself, and nobody waits for it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from contactcenter.cache import SharedCache
from tests.cases import cases

pytestmark = pytest.mark.both


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(SharedCache, "away_until", 0.0)
    monkeypatch.setattr(SharedCache, "clients", {})
    made: list[SharedCache] = []

    def make(port: int) -> SharedCache:
        made.append(SharedCache(f"redis://127.0.0.1:{port}/0", {"KEY_PREFIX": "test"}))
        made[-1].memory.clear()
        return made[-1]

    return make


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [
        shutil.which("redis-server") or "redis-server",
        "--port",
        str(port),
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.02)
    yield port, process
    process.kill()
    process.wait()


def count(cache: SharedCache, name: str) -> int:
    """As the rate limits do."""
    cache.add(name, 0, 60)
    return cache.incr(name)


def test_without_redis_each_process_counts_for_itself(cache: Any) -> None:
    shared = cache(free_port())
    assert [count(shared, "a"), count(shared, "a"), count(shared, "b")] == [1, 2, 1]
    shared.set_many({"c": 1, "d": 2})
    assert shared.get_many(["c", "d"]) == {"c": 1, "d": 2}
    assert "c" in shared
    shared.delete("c")
    assert shared.get("c", "none") == "none"


@pytest.mark.redis
def test_a_redis_that_hangs_delays_one_request_by_a_moment(cache: Any, redis: Any) -> None:
    port, process = redis
    shared = cache(port)
    assert count(shared, "a") == 1
    os.kill(process.pid, signal.SIGSTOP)
    assert count(shared, "b") == 1
    begun = time.monotonic()
    for number in range(2, 100):
        assert count(shared, "b") == number
    assert time.monotonic() - begun < 20  # each would have waited for a second
    os.kill(process.pid, signal.SIGCONT)
    SharedCache.away_until = 0.0
    assert count(shared, "a") == 2


@pytest.mark.redis
def test_requests_share_their_connections(cache: Any, redis: Any) -> None:
    port, _process = redis
    shared = [cache(port) for _ in range(20)]
    assert [count(one, "a") for one in shared] == list(range(1, 21))
    assert int(shared[0]._cache.get_client().info("clients")["connected_clients"]) == 1


@pytest.mark.django_db
@cases("key", ['"abc\\000defghijklmnop"', "x" * 500, "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"])
def test_a_session_key_that_we_cannot_have_made_is_none(client: Client, settings: Any, key: str) -> None:
    cookie = f"{settings.SESSION_COOKIE_NAME}={key}"
    assert client.get("/accounts/login/", headers={"cookie": cookie}).status_code == 200
    assert client.get("/api/v1/me", headers={"cookie": cookie}).status_code == 401
