"""How fast it is, on this machine: messages, latency, posts, polls, starts, idle sockets, fan-out, growth, start-up, widget.

Starts servers of its own on a core of their own, with PostgreSQL (TEST_DATABASE_URL, else 127.0.0.1:5432; a database that is dropped
afterwards) and Redis, or with SQLite. The floor (bench/floor.py) and the product are measured by turns, so that noise shows.
"""

# ruff: noqa: S603 - the program is our own

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import machine
from bench.site import ROOT
from bench.table import table

# In the order of bench/figures, which needs Django.
NAMES = ("start-up", "idle sockets", "messages", "latency", "posts", "polls", "starts", "fan-out", "widget", "growth")
ENGINES = ("postgresql", "sqlite")


def main() -> int:
    options = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    engines = ENGINES if options.engine == "both" else (options.engine,)
    results: dict[str, Any] = {"machine": machine.described(), "seconds": options.seconds, "rounds": options.rounds}
    results["engines"] = {engine: _measure(engine, options) for engine in engines}
    print(table(results))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return int(any(engine["faults"] for engine in results["engines"].values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of each; medians are told")
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both")
    parser.add_argument("--only", type=_names, default=",".join(NAMES), metavar="NAME,…", help=", ".join(NAMES))
    parser.add_argument("--port", type=int, default=22_000, help="the first of three")
    return parser.parse_args()


def _names(said: str) -> str:
    unknown = set(said.split(",")) - set(NAMES)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(NAMES)}")
    return said


def _measure(engine: str, options: argparse.Namespace) -> dict[str, Any]:
    said = {name: str(getattr(options, name)) for name in ("seconds", "rounds", "only", "port")}
    arguments = [part for name, value in said.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "bench.one", "--engine", engine, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        sys.exit(f"{engine} could not be measured.")
    return dict(json.loads(output.splitlines()[-1]))


if __name__ == "__main__":
    sys.exit(main())
