"""The commands that people type first: bin/run in a fresh checkout, bin/manage, what bin/test tells."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FIRST_START_SECONDS = 900  # it installs, and makes a demo


def clean_environment() -> dict[str, str]:
    """A fresh machine's: nothing of this run's settings."""
    ours = (
        "DATA",
        "REDIS",
        "SECRET",
        "FIELD_KEYS",
        "DJANGO",
        "TEST",
        "PYTEST",
        "LOG_",
        "CELERY",
        "VIRTUAL_ENV",
        "BASE_",
    )
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git would hand out, and nothing else: no .venv, no var."""
    target = tmp_path_factory.mktemp("checkout")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
            (target / name).chmod((ROOT / name).stat().st_mode)
    return target


class Run:
    """bin/run, read until it says ready."""

    def __init__(self, checkout: Path, *arguments: str) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            ["bin/run", *arguments], cwd=checkout, env=clean_environment(), stdout=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if self.said[-1] == "ready" or time.monotonic() - self.started > FIRST_START_SECONDS:
                break

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.close()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


@pytest.fixture(scope="module")
def started(checkout: Path) -> Iterator[tuple[Run, int]]:
    port = free_port()
    run = Run(checkout, "--port", str(port))
    yield run, port
    run.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_fresh_checkout_serves_with_one_command(started: tuple[Run, int], checkout: Path) -> None:
    run, port = started
    assert run.said[-1] == "ready", run.said
    text = "\n".join(run.said)
    demo = json.loads((checkout / "var/demo.json").read_text())
    assert demo["url"] == f"http://127.0.0.1:{port}"
    for told in (demo["demo_page_url"], demo["desk_url"], demo["admin_url"], demo["admin"]["password"]):
        assert told in text
    assert answers(demo["url"])
    for page in (demo["demo_page_url"], demo["desk_url"], demo["admin_url"]):
        assert httpx.get(page, follow_redirects=True, timeout=30).status_code == 200, page


def test_it_stops_on_a_signal_and_the_second_start_installs_nothing(started: tuple[Run, int], checkout: Path) -> None:
    first, port = started
    assert first.stop() == 0
    assert not answers(f"http://127.0.0.1:{port}")
    second = Run(checkout, "--port", str(port))
    try:
        assert second.said[-1] == "ready"
        assert not any(line.startswith(("Making", "Installing")) for line in second.said)
        instance = json.loads((checkout / "var/instance.json").read_text())
        # Killed without a word: the server must not stay behind and hold port and directory.
        second.process.kill()
        second.process.wait()
        for _ in range(150):
            if not answers(instance["url"]):
                break
            time.sleep(0.1)
        assert not answers(instance["url"])
    finally:
        second.close()


def test_manage_is_the_environments_own(started: tuple[Run, int], checkout: Path) -> None:
    done = subprocess.run(
        ["bin/manage", "shell", "-v", "0", "-c", "import sys; print(sys.prefix)"],
        cwd=checkout,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(checkout / ".venv"), done.stderr


def test_leftovers_are_told_and_fail_only_when_all_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "test_something.py"
    file.write_text(
        "import pytest\n\n\n@pytest.mark.postgres\ndef test_far(): pass\n\n\ndef test_near(): pass\n",
    )
    env = {
        **os.environ,
        "DATABASE_URL": "",
        "TESTS_LEFT_OUT": "types of the browser code: npm is not installed",
        "TESTS_FAILED_BEFORE": "",
    }
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), str(file)]
    usual = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert usual.returncode == 0, usual.stdout
    assert "1 tests: this run's DATABASE_URL names no PostgreSQL" in usual.stdout
    assert "npm is not installed" in usual.stdout
    assert usual.stdout.strip().splitlines()[-1].startswith("=")
    everything = subprocess.run([*command, "--all"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert everything.returncode == 1
    lint_failed = {**env, "TESTS_FAILED_BEFORE": "lint", "TESTS_LEFT_OUT": ""}
    failed = subprocess.run(command, cwd=ROOT, env=lint_failed, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "failed before the tests" in failed.stdout
