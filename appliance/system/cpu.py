"""The CPU and the C library of this computer, checked before anything that needs them is imported.

This module imports only the standard library. On a CPU that is too old, ``import numpy`` ends the process
with an illegal instruction; :func:`require_machine` runs first and says so in a sentence.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import MachineError

FLOOR_FLAGS = frozenset({"ssse3", "sse4_1", "sse4_2", "popcnt", "cx16"})
"""CPU flags that are required: those of Nehalem (2008), for which NumPy and OpenVINO are compiled."""

FLOOR_GLIBC = (2, 28)
"""The oldest C library for which OpenVINO and NumPy publish wheels (``manylinux_2_28``)."""

_AVX = FLOOR_FLAGS | {"avx"}
_AVX2 = _AVX | {"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe"}
_AVX512 = _AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}

GENERATIONS: dict[str, frozenset[str]] = {
    "nehalem": FLOOR_FLAGS,
    "sandybridge": frozenset(_AVX),
    "haswell": frozenset(_AVX2),
    "skylake-avx512": frozenset(_AVX512),
    "cascadelake": frozenset(_AVX512 | {"avx512_vnni"}),
    "sapphirerapids": frozenset(_AVX512 | {"avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8"}),
}
"""CPU generations, oldest first, with the flags of ``/proc/cpuinfo`` that decide which kernels run.

The names are Intel's. A CPU of another maker gets the name of the generation whose kernels it runs.
"""


@dataclass(frozen=True, slots=True)
class Cpu:
    """A CPU: its ``model`` name, its ``/proc/cpuinfo`` flags, and the cores this process may use."""

    model: str
    flags: frozenset[str]
    cores: int

    @property
    def generation(self) -> str:
        """The newest of :data:`GENERATIONS` whose flags this CPU has; '' if it is too old."""
        known = [name for name, needed in GENERATIONS.items() if needed <= self.flags]
        return known[-1] if known else ""


def read_cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> Cpu:
    """Read the CPU that Linux describes in ``cpuinfo``; without that file it has no flags."""
    try:
        text = cpuinfo.read_text(errors="replace")
    except OSError:
        text = ""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return Cpu(
        model=fields.get("model name", platform.machine()),
        flags=frozenset(fields.get("flags", "").split()),
        cores=len(os.sched_getaffinity(0)),
    )


def glibc_version() -> tuple[int, int] | None:
    """Version of the GNU C library; ``None`` with another C library (musl)."""
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = number.split(".")[:2]
        return (int(major), int(minor)) if name == "glibc" else None
    except (ValueError, OSError):
        return None


def cpu_trouble(cpu: Cpu) -> str:
    """One sentence if ``cpu`` is too old, otherwise ''."""
    missing = FLOOR_FLAGS - cpu.flags
    if not missing:
        return ""
    return (
        f"This CPU ({cpu.model}) cannot run Backline: it lacks {', '.join(sorted(missing))}; "
        "use an x86-64 computer of 2009 or later, or let the virtual machine use its host's CPU model."
    )


def glibc_trouble(version: tuple[int, int] | None) -> str:
    """One sentence if the C library ``version`` is too old or not GNU's, otherwise ''."""
    if version is not None and version >= FLOOR_GLIBC:
        return ""
    found = f"GNU C library {version[0]}.{version[1]}" if version else "a C library other than GNU's"
    return (
        f"This system has {found}, and Backline needs {FLOOR_GLIBC[0]}.{FLOOR_GLIBC[1]} or newer; "
        "use Debian 10, Ubuntu 20.04, RHEL 8 or any later system."
    )


def require_machine() -> None:
    """Check that NumPy and OpenVINO can run here. Call it before importing them.

    Raises:
        MachineError: the CPU or the C library is too old.
    """
    trouble = cpu_trouble(read_cpu()) or glibc_trouble(glibc_version())
    if trouble:
        raise MachineError(trouble)
