"""Freed memory goes back to the system, but not so early that speed suffers.

Each test measures a fresh process, with glibc's defaults and with our settings.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

BEGIN = """
import os, resource, sys
import numpy as np
from appliance.system.malloc import configure_malloc, return_free_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
if sys.argv[1] == "ours":
    configure_malloc()
np.ones(2**21)  # 16 MiB, freed at once: glibc's mmap threshold is 16 MiB from now on
"""

LARGE_ONES = """
before, small, large = resident(), [], []
for _ in range(20):
    large.append(np.ones(2**20))
    small.append(np.ones(2**10))  # stays: free memory before it in the heap cannot be returned
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
return_free_memory()
print(before - resident())
"""

THE_SAME_AGAIN = """
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2**17)
before = faults()
for _ in range(200):
    np.ones(2**17)  # 1 MiB, as an FFT allocates
print(faults() - before)
"""


def printed(script: str, how: str = "ours") -> float:
    command = [sys.executable, "-c", BEGIN + script, how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc")


@pytest.mark.slow
@glibc
def test_freed_arrays_leave_no_gaps() -> None:
    assert printed(LARGE_ONES, "as it is") > 100
    assert printed(LARGE_ONES) < 10


@glibc
def test_free_memory_between_used_blocks_is_returned() -> None:
    assert printed(SMALL_ONES) > 80  # of 100 MiB


@glibc
def test_memory_that_the_next_fft_needs_is_kept() -> None:
    assert printed(THE_SAME_AGAIN) < 1_000  # page faults; otherwise 256 per array
