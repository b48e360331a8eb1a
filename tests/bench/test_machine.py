"""What measurements read of processes that come and go."""

import os
import subprocess
import sys

from bench.machine import memory_of


def test_a_process_that_has_ended_has_no_memory() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert memory_of(ended.pid) == 0  # ended, but nobody has asked how
    ended.wait()
    assert memory_of(ended.pid) == 0
    assert memory_of(os.getpid()) > 1000
