"""Kill, cut, stall, pause, fill: while customers and agents talk. Then prove that nothing was lost.

    bin/faults --seconds 60 --seed 7 [--embedded] [--json]

Needs PostgreSQL's and Redis' programs, not their servers: it runs its own. Prints what happened; ends with 1 when a promise was broken,
and names the folder with the history (history.jsonl), the violations and every process' log. `--embedded`: one process on SQLite.
"""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run import Outcome, Run


# What the caller's environment says of other installations; with PGOPTIONS the tests make commits that a crash would lose.
STRANGE = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "PGOPTIONS", "DATABASE_POOL_MAX", "EMAIL_URL")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="of faults; settling comes on top")
    parser.add_argument("--seed", type=int, help="which fault when; any, if it is not said")
    parser.add_argument("--embedded", action="store_true", help="one process on SQLite")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument(
        "--patience", type=float, default=5, help="seconds that a chat may wait beside a free slot once all is healed"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    if not options.json:
        print(f"{options.seconds:g} s of faults, seed {seed}, in {folder}", flush=True)
    ready_django(folder)
    from .run import Run

    run = Run(folder, seconds=options.seconds, seed=seed, is_embedded=options.embedded, patience=options.patience)
    outcome = asyncio.run(interruptible(run))
    report(outcome, folder, is_kept=options.keep, is_json=options.json)
    return 1 if outcome.violations else 0


async def interruptible(run: "Run") -> "Outcome":
    """SIGTERM ends it as Ctrl-C does: nothing of it is left behind."""
    task = asyncio.ensure_future(run.go())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def ready_django(folder: Path) -> None:
    """The robots' module knows the product's models; here they touch no database."""
    for name in STRANGE:
        os.environ.pop(name, None)
    os.environ |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "contactcenter.settings"}
    import django

    django.setup()


def report(outcome: "Outcome", folder: Path, *, is_kept: bool, is_json: bool) -> None:
    lines = [f"{one.invariant}  {one.what}" for one in outcome.violations]
    if lines or is_kept:
        outcome.summary["folder"] = str(folder)
        (folder / "violations.txt").write_text("\n".join(lines) + "\n")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if not is_json:
        print("\n".join(lines[:50]))
    print(json.dumps(outcome.summary, indent=None if is_json else 2))


if __name__ == "__main__":
    sys.exit(main())
