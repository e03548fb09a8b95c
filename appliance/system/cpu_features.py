"""What a processor offers, as the libraries see it that choose kernels by it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from appliance.system.cpu import Cpu


def kernel_facts(cpu: Cpu) -> list[Any]:
    """Flags of ``cpu``, what numpy finds by itself, and the cap on oneDNN; goes into JSON."""
    # numpy asks the processor itself, as OpenVINO does; /proc/cpuinfo is the kernel's word.
    seen = import_module("numpy._core._multiarray_umath").__cpu_features__
    return [
        sorted(cpu.flags),
        sorted(name for name, present in seen.items() if present),
        os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
    ]
