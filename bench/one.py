"""The figures of one engine, in a process of its own: Django has one database. Prints one JSON object; what is under way goes to stderr."""

import argparse
import json
import signal
import sys
import time
from typing import Any

from bench.site import Site


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--only", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    with Site(options.engine, seconds=options.seconds, rounds=options.rounds, port=options.port) as site:
        found = _measure(site, set(options.only.split(",")))
    print(json.dumps(found))


def _measure(site: Site, wanted: set[str]) -> dict[str, Any]:
    from bench.figures import FIGURES

    figures: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for figure in (figure for figure in FIGURES if figure.name in wanted):
        begun = time.perf_counter()
        try:
            figures[figure.name] = figure.measure(site)
        except Exception as error:  # noqa: BLE001 - the other figures are worth having
            faults[figure.name] = f"{type(error).__name__}: {error}"
        took = f"{site.engine}: {figure.name}, {time.perf_counter() - begun:.0f} s {faults.get(figure.name, '')}"
        print(took.rstrip(), file=sys.stderr, flush=True)
    return {"figures": figures, "faults": faults}


if __name__ == "__main__":
    main()
