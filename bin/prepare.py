"""Makes .venv and keeps it in step with the requirements. Standard library only: this runs before anything is installed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


def prepare(*requirements: str) -> Path:
    """The environment's python, with every named requirements file installed. Does nothing when nothing has changed."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python {'.'.join(map(str, OLDEST))} or newer is needed; this is {sys.version.split()[0]}.")
    # Two starts at once must not install into each other.
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make()
        for name in requirements:
            _install(name)
    return PYTHON


def _make() -> None:
    works = PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True).returncode == 0
    if works:
        return
    print("Making .venv …", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)])
    if made.returncode:
        sys.exit("python3 -m venv failed. On Debian: apt-get install python3-venv.")


def _install(name: str) -> None:
    stamp = VENV / f".installed-{name}"
    wanted = _digest(name)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing {name} …", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(ROOT / name)]
    if subprocess.run(pip).returncode:
        sys.exit(f"{name} could not be installed.")
    stamp.write_text(wanted)


def _digest(name: str) -> str:
    """Of the file and of the files that it includes."""
    text = (ROOT / name).read_text()
    included = [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith("-r ")]
    return hashlib.sha256("".join([text, *map(_digest, included)]).encode()).hexdigest()


def environment(**more: str) -> dict[str, str]:
    """The process's environment for a child in .venv."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **more}
