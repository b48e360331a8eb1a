"""bin/bench measures what it says and writes it down. How much it finds is nobody's promise here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.stack import free_port

ROOT = Path(__file__).resolve().parents[2]
COST = {"server µs", "server", "client", "p50 ms", "p99 ms", "spread"}
BESIDE_FLOOR = COST | {"floor server µs", "of floor"}

pytestmark = pytest.mark.slow


def bench(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """Figures by their names, of a run that is over in no time."""
    file = tmp_path / "figures.json"
    # The server that this run of tests uses, and none of its settings.
    environment = os.environ | {"TEST_DATABASE_URL": os.environ.get("DATABASE_URL", "")}
    command = [
        sys.executable,
        "-m",
        "bench",
        "--seconds",
        "0.3",
        "--rounds",
        "1",
        "--port",
        str(free_port()),
        *arguments,
    ]
    done = subprocess.run(
        [*command, "--json", str(file)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    results = json.loads(file.read_text())
    assert set(results) == {"machine", "seconds", "rounds", "engines"}
    assert "failed" not in done.stdout.lower()
    (found,) = results["engines"].values()
    return dict(found["figures"])


def test_every_door_is_measured_beside_the_floor_and_told_in_numbers(tmp_path: Path) -> None:
    wanted = ("messages", "posts", "widget")
    found = bench(tmp_path, "--engine", "sqlite", "--only", ",".join(wanted))

    assert set(found) == set(wanted)
    assert list(found["messages"]) == ["1 in flight", "4 in flight", "16 in flight"]
    assert all(set(row) == BESIDE_FLOOR | {"messages/s", "floor messages/s"} for row in found["messages"].values())
    assert list(found["posts"]) == ["REST v1", "Genesys", "HyperChat"]
    assert all(set(row) == BESIDE_FLOOR | {"posts/s", "floor posts/s"} for row in found["posts"].values())
    assert found["widget"]["page"]["gzip"] < found["widget"]["opened"]["gzip"] < found["widget"]["opened"]["bytes"]


def test_a_figure_that_nobody_knows_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--only", "magic"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 2
    assert "messages" in done.stderr
