"""The files that describe a larger installation say what the code needs."""

import contextlib
import re
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from contactcenter.edge import Limits
from tests.services.nginx import MARKS, Nginx

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def nginx_text() -> str:
    return (DEPLOY / "nginx.conf").read_text()


@pytest.mark.nginx
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    file = Nginx(tmp_path, [8000, 8001]).file
    done = subprocess.run([Nginx.program(), "-t", "-c", str(file), "-e", "stderr"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.nginx
def test_nginx_opens_an_apps_socket_and_never_writes_its_token(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as behind:
        port = behind.getsockname()[1]
        heard: list[bytes] = []
        nginx = Nginx(tmp_path, [port, port]).start()
        threading.Thread(target=hear, args=(behind, heard), daemon=True).start()
        try:
            for path in ("/apispaces/a-space/socket?token=hush", "/elsewhere?token=loud"):
                asked = urllib.request.Request(nginx.url + path, headers={"Upgrade": "websocket"})
                with pytest.raises(urllib.error.HTTPError):
                    urllib.request.urlopen(asked, timeout=10)
        finally:
            nginx.stop()
    assert b"token=hush" in heard[0]
    assert b"upgrade: websocket" in heard[0].lower()
    assert b"connection: upgrade" in heard[0].lower()
    errors = (tmp_path / "nginx.log").read_text()
    assert "loud" in errors  # why the socket's errors are written nowhere
    assert "hush" not in errors + "".join(nginx.lines())


def hear(behind: socket.socket, heard: list[bytes]) -> None:
    """A web process that dies of each request."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = behind.accept()
            heard.append(connection.recv(65536))
            connection.close()


def test_nginx_lets_through_what_the_edge_takes_and_waits_longer_than_a_long_poll() -> None:
    text = nginx_text()
    megabytes = re.search(r"client_max_body_size (\d+)m", text)
    assert megabytes
    assert int(megabytes[1]) * 1024 * 1024 >= Limits().upload
    assert "send_timeout 20s" in text
    assert "proxy_read_timeout 75s" in text
    assert "X-Forwarded-For $remote_addr" in text


def test_redis_keeps_what_it_was_given() -> None:
    lines = (DEPLOY / "redis.conf").read_text().splitlines()
    assert {"appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"} <= set(lines)


def test_compose_has_every_process_and_every_variable_is_one_that_we_read() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert set(composed["services"]) == {"nginx", "web1", "web2", "worker", "beat", "migrate", "postgres", "redis"}
    told = (ROOT / ".env.example").read_text()
    given = composed["services"]["web1"]["environment"]
    assert [name for name in given if f"{name}=" not in told] == []
    # A session's id begins with its process's mark, by which nginx finds the process.
    for mark in MARKS:
        assert composed["services"][mark]["environment"] == {**given, "SERVER_MARK": mark}
        assert f"~^{mark}\\." in nginx_text()
    assert composed["services"]["beat"]["command"].startswith("celery -A contactcenter beat")


def test_procfile_names_the_same_processes() -> None:
    names = [line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()]
    assert names == ["release", "web", "worker", "beat"]


def test_every_requirement_is_pinned_and_no_index_is_named() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert re.fullmatch(r"#.*|-r requirements\.txt|[\w\[\],.-]+==[\w.]+", line), line
