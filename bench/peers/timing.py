"""What the peers' processes share: threads, a stopwatch, and how a row is printed."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn


def cores() -> int:
    """As many threads as cores that may be used, as ours has."""
    return len(os.sched_getaffinity(0))


def median_s(call: Callable[[], Any], repeats: int) -> float:
    """Median seconds of ``call``; a first one is not counted."""
    seconds = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def tell(seconds: float, audio_s: float, how: str) -> None:
    """Print a row: ``seconds`` for ``audio_s`` of music (0: for one evaluation of a network)."""
    print(json.dumps({"seconds": seconds, "audio_s": audio_s, "how": how}))


def missing(package: str) -> NoReturn:
    """Print that ``package`` is not installed, and end."""
    print(json.dumps({"package": package}))
    sys.exit(0)
