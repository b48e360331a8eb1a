"""A minute of bin/faults, as anybody can run it: servers, workers, Redis and PostgreSQL of its own, broken on purpose; nothing is lost.

Its bounds for how soon something happens follow the pace of the machine, which has other things to do; those for what is right are none.
"""

import json
import subprocess
import sys

import pytest

from bench.stack import ROOT

pytestmark = [pytest.mark.slow]
LONGEST = 900  # seconds, with starting and settling


def faults(*arguments):
    """Its summary; what was wrong stands in the message of the failure, with the seed and the folder of the logs."""
    command = [sys.executable, "-m", "bench.faults", "--json", "--patience", "15", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST)
    print(done.stdout, done.stderr[-3000:])
    assert done.stdout, done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["violations"] == {}, summary
    assert done.returncode == 0
    return summary


@pytest.mark.postgres
@pytest.mark.redis
def test_a_minute_of_faults_loses_nothing():
    summary = faults("--seconds", "60")
    assert sum(summary["faults"].values()) >= 8
    assert summary["acknowledged"] > 50
    assert summary["deliveries"] > summary["acknowledged"]


def test_half_a_minute_of_faults_in_one_process_loses_nothing():
    summary = faults("--seconds", "30", "--embedded")
    assert summary["faults"]
    assert summary["acknowledged"] > 25
