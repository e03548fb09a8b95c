"""What is freed goes back to the system, and no sooner than is good: measured in processes of their own,
with and without."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

BEGIN = """
import os, resource, sys
import numpy as np
from appliance.system.malloc import give_back_what_is_free, give_back_what_is_freed
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
if sys.argv[1] == "ours":
    give_back_what_is_freed()
np.ones(2**21)  # 16 MiB, freed at once: from now on glibc calls nothing large that is smaller
"""

LARGE_ONES = """
before, small, large = resident(), [], []
for _ in range(20):
    large.append(np.ones(2**20))
    small.append(np.ones(2**10))  # stays, and what lies before it in the heap cannot be given back
del large
print(resident() - before)
"""

SMALL_ONES = """
small, large = [], []
for _ in range(400):
    large.append(np.ones(2**15))
    small.append(np.ones(2**7))
del large
before = resident()
give_back_what_is_free()
print(before - resident())
"""

THE_SAME_AGAIN = """
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2**17)
before = faults()
for _ in range(200):
    np.ones(2**17)  # 1 MiB, as a transform asks for
print(faults() - before)
"""


def printed(script: str, how: str = "ours") -> float:
    command = [sys.executable, "-c", BEGIN + script, how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")


@glibc
def test_freed_arrays_leave_no_gaps() -> None:
    assert printed(LARGE_ONES, "as it is") > 100
    assert printed(LARGE_ONES) < 10


@glibc
def test_what_lies_between_others_can_be_given_back() -> None:
    assert printed(SMALL_ONES) > 80  # of 100 MiB


@glibc
def test_what_the_next_transform_needs_is_not_given_back() -> None:
    assert printed(THE_SAME_AGAIN) < 1_000  # pages; 256 an array otherwise
