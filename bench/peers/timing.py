"""Code that the peers share: number of threads, timing, and printing of rows."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn


def cores() -> int:
    """Number of cores that this process may use; peers get as many threads, like our own software."""
    return len(os.sched_getaffinity(0))


def median_s(call: Callable[[], Any], repeats: int) -> float:
    """Median seconds of ``repeats`` calls, after one that is not counted."""
    seconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def print_row(seconds: float, audio_s: float, how: str) -> None:
    """Print a row: ``seconds`` for ``audio_s`` seconds of music, or for one forward pass if that is 0."""
    print(json.dumps({"seconds": seconds, "audio_s": audio_s, "how": how}))


def exit_without(package: str) -> NoReturn:
    """Print that ``package`` is not installed, and exit."""
    print(json.dumps({"package": package}))
    sys.exit(0)
