"""The embedded installation as it is run: one process on SQLite, with the demo's data, in a directory of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.migrated import SQLITE
from tests.services.stack import ROOT, free_port

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
}


def manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def migrated_database() -> Path:
    """An empty installation's, made once: migrating takes longer than all else of a start."""
    if SQLITE:
        return Path(SQLITE)
    data = Path(tempfile.mkdtemp(dir=os.environ["DATA_DIR"]))
    manage({**ENVIRONMENT, "DATA_DIR": str(data)}, "migrate", "--verbosity", "0")
    return data / "db.sqlite3"


class Site:
    """`manage.py serve` on a directory of its own; `demo` is what `manage.py demo --json` said."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.settings = settings  # beside those that every run of ours has
        # Chosen once and kept, so that pages find the server again after a restart.
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process: subprocess.Popen[str] | None = None
        shutil.copy(migrated_database(), data / "db.sqlite3")
        self.start()
        self.demo: dict[str, Any] = json.loads(self.manage("demo", "--json"))

    @property
    def environment(self) -> dict[str, str]:
        own = {"DATA_DIR": str(self.data), "BASE_URL": self.url, "DEBUG": "1", "LOG_LEVEL": "WARNING"}
        return {**ENVIRONMENT, **own, "PYTHONUNBUFFERED": "1", **self.settings}

    def manage(self, *arguments: str) -> str:
        return manage(self.environment, *arguments)

    def start(self) -> None:
        command = [sys.executable, "manage.py", "serve", "--port", self.url.rpartition(":")[2]]
        with (self.data / "serve.log").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout
        assert "ready" in self.process.stdout.readline(), (self.data / "serve.log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(30)
        assert self.process.stdout
        self.process.stdout.close()

    def seat(self, username: str) -> dict[str, Any]:
        return next(seat for seat in self.demo["agents"] if seat["username"] == username)
