"""manage.py serve as a process: it says when it serves, there is one per directory, and it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from contactcenter import instance

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY"}}
    return {**kept, "DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}


def manage(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(data), capture_output=True, text=True, timeout=60)


class Running:
    """A server on a free port."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment(data),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.said = self.process.stdout.readline().strip()

    @property
    def instance(self) -> dict[str, Any]:
        return json.loads((self.data / "instance.json").read_text())

    @property
    def url(self) -> str:
        return self.instance["url"]

    def connect(self) -> socket.socket:
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)

    def stop(self, number: int) -> tuple[int, float]:
        """Exit code and seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(20)
        return code, time.monotonic() - started


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("served")
    done = manage(data, "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return data


@pytest.fixture
def server(data: Path) -> Iterator[Running]:
    running = Running(data)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()
    if running.process.stdout:
        running.process.stdout.close()


def test_it_says_ready_when_it_serves_and_tasks_run_inside(server: Running) -> None:
    assert server.said == "ready"
    assert server.instance["pid"] == server.process.pid
    assert httpx.get(f"{server.url}/readyz", timeout=30).json()["status"] == "ok"
    for _ in range(50):
        text = httpx.get(f"{server.url}/metrics", timeout=30).text
        if "contactcenter_task_lag_seconds " in text:
            break
        time.sleep(0.1)
    assert "contactcenter_task_lag_seconds " in text


def test_a_second_one_in_the_same_directory_is_refused(server: Running) -> None:
    done = manage(server.data, "serve", "--port", "0")
    assert done.returncode != 0
    assert "Another server already uses" in done.stderr
    assert httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200


def test_port_in_use_is_told(server: Running, tmp_path: Path) -> None:
    port = str(urlsplit(server.url).port)
    done = manage(tmp_path, "serve", "--port", port)
    assert done.returncode != 0
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_it_cleanly(server: Running, number: int) -> None:
    assert server.said == "ready"
    code, seconds = server.stop(number)
    assert code == 0
    assert seconds < 15
    assert not (server.data / "instance.json").exists()


def test_it_stops_with_a_reader_that_stalls_and_a_writer_that_stalls(server: Running) -> None:
    with server.connect() as reader, server.connect() as writer:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # Pipelined requests for big files whose answers nobody reads fill every buffer on the way.
        static = httpx.get(f"{server.url}/healthz", timeout=30).json()["release"]
        path = f"/static/{static}/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
        assert httpx.get(server.url + path, timeout=30).status_code == 200
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20)
        writer.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(0.5)
        code, seconds = server.stop(signal.SIGTERM)
    assert code == 0
    assert seconds < 18  # the writer would be waited for for twenty


def test_killed_server_leaves_a_directory_that_serves_again(server: Running, data: Path) -> None:
    server.process.kill()
    server.process.wait()
    assert (data / "instance.json").exists()
    again = Running(data)
    try:
        assert again.said == "ready"
        assert again.instance["pid"] == again.process.pid
    finally:
        code, _seconds = again.stop(signal.SIGTERM)
        assert again.process.stdout
        again.process.stdout.close()
    assert code == 0


def test_big_and_bad_requests_are_refused_by_the_whole_stack(server: Running) -> None:
    big = httpx.post(f"{server.url}/accounts/login/", content=b"x" * 1_100_000, timeout=30)
    assert big.status_code == 413
    assert httpx.get(f"{server.url}/healthz", headers={"Host": "evil.example"}, timeout=30).status_code == 400
    with server.connect() as lying:
        # Declares little, sends much: the rest is another request to the parser, and a broken one.
        lying.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabcdefgh\r\n\r\n")
        answer = lying.recv(65536)
    assert b"HTTP/1.1 4" in answer
    assert b"HTTP/1.1 5" not in answer
    assert httpx.get(f"{server.url}/readyz", timeout=30).status_code == 200


def test_only_its_own_announcement_is_withdrawn(tmp_path: Path) -> None:
    instance.announce(tmp_path, "http://127.0.0.1:1")
    instance.withdraw(tmp_path)
    assert not (tmp_path / "instance.json").exists()
    (tmp_path / "instance.json").write_text('{"url": "http://127.0.0.1:2", "pid": 1}')
    instance.withdraw(tmp_path)
    assert (tmp_path / "instance.json").exists()
    instance.withdraw(tmp_path / "nowhere")


def test_directory_is_held_by_one_and_free_afterwards(tmp_path: Path) -> None:
    with instance.only_one(tmp_path), pytest.raises(instance.AlreadyRunning), instance.only_one(tmp_path):
        pass
    with instance.only_one(tmp_path):
        pass
