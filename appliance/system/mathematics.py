"""Which library computes ``exp``, ``pow`` and the like.

Such libraries differ in the last bit, so the same vocal gives the same bytes only with the same one. A
release brings its own; an installation from source uses the system's C library.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from appliance.system.cpu import glibc_version

_FILE = "libm.so"


def math_library(maps: Path = Path("/proc/self/maps"), prefix: Path = Path(sys.base_prefix)) -> str:
    """``bundled``, or the system's C library with its version, such as ``glibc 2.36``.

    ``maps`` lists the files that this process has loaded; ``prefix`` is the folder of its interpreter.
    """
    math.exp(1.0)  # the interpreter has loaded it by now
    try:
        lines = maps.read_text().splitlines()
    except OSError:
        lines = []
    loaded = {Path(line.split(maxsplit=5)[-1]) for line in lines if f"/{_FILE}" in line}
    if any(file.is_relative_to(prefix.resolve()) for file in loaded):
        return "bundled"
    version = glibc_version()
    return "glibc {}.{}".format(*version) if version else "unknown"
