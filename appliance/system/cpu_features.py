"""The CPU features by which NumPy and oneDNN choose their kernels."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from appliance.system.cpu import Cpu


def kernel_facts(cpu: Cpu) -> list[Any]:
    """The flags of ``cpu``, the features NumPy detects, and ``$ONEDNN_MAX_CPU_ISA``, ready for JSON."""
    # NumPy and OpenVINO query the CPU itself; /proc/cpuinfo may differ, e.g. in a virtual machine.
    seen = import_module("numpy._core._multiarray_umath").__cpu_features__
    return [
        sorted(cpu.flags),
        sorted(name for name, present in seen.items() if present),
        os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
    ]
