"""Memory that was freed is the system's again: measured in a process of its own, with and without."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
import numpy as np
from appliance.heap import give_back_what_is_freed
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
if sys.argv[1] == "given back":
    give_back_what_is_freed()
np.ones(2**21)  # 16 MiB, freed at once: from now on glibc calls nothing large that is smaller
before, small, large = resident(), [], []
for _ in range(20):
    large.append(np.ones(2**20))
    small.append(np.ones(2**10))  # stays, and what lies before it in the heap cannot be given back
del large
print(resident() - before)
"""


def mebibytes_left(how: str) -> float:
    command = [sys.executable, "-c", SCRIPT, how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")
def test_freed_arrays_leave_no_gaps() -> None:
    assert mebibytes_left("as it is") > 100
    assert mebibytes_left("given back") < 10
