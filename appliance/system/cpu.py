"""Which processor and C library this is, read without running anything that might need a newer one.

Only the standard library is imported: on a processor below the floor even ``import numpy`` dies of an
illegal instruction, so this must be asked, and must answer in a sentence, first.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import MachineError

FLOOR_FLAGS = frozenset({"ssse3", "sse4_1", "sse4_2", "popcnt", "cx16"})
"""Nehalem (2008): what numpy and OpenVINO are compiled for."""

FLOOR_GLIBC = (2, 28)
"""The oldest C library for which OpenVINO and numpy publish wheels (``manylinux_2_28``)."""

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
"""Generations by the instructions that decide which kernels run, oldest first, in the names of
``/proc/cpuinfo``. Other makers' processors are named after the generation whose kernels they run."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """A processor: its maker's name for it, its ``/proc/cpuinfo`` flags, cores this process may use."""

    model: str
    flags: frozenset[str]
    cores: int

    @property
    def generation(self) -> str:
        """The newest of :data:`GENERATIONS` whose instructions are all here; '' below the floor."""
        known = [name for name, needed in GENERATIONS.items() if needed <= self.flags]
        return known[-1] if known else ""


def read_cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> Cpu:
    """The processor that Linux describes in ``cpuinfo``; without flags where there is no such file."""
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
    """Version of the GNU C library, or ``None`` on another one (musl)."""
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = number.split(".")[:2]
        return (int(major), int(minor)) if name == "glibc" else None
    except (ValueError, OSError):
        return None


def cpu_trouble(cpu: Cpu) -> str:
    """One sentence when ``cpu`` is below the floor, else ''."""
    missing = FLOOR_FLAGS - cpu.flags
    if not missing:
        return ""
    return (
        f"This processor ({cpu.model}) cannot run Backline: it lacks {', '.join(sorted(missing))}; "
        "use an x86-64 computer of 2009 or later, or let the virtual machine show its host's processor."
    )


def glibc_trouble(version: tuple[int, int] | None) -> str:
    """One sentence when the C library ``version`` is below the floor, else ''."""
    if version is not None and version >= FLOOR_GLIBC:
        return ""
    found = f"GNU C library {version[0]}.{version[1]}" if version else "a C library other than GNU's"
    return (
        f"This system has {found}, and Backline needs {FLOOR_GLIBC[0]}.{FLOOR_GLIBC[1]} or newer; "
        "use Debian 10, Ubuntu 20.04, RHEL 8 or any later system."
    )


def require_machine() -> None:
    """Raise :class:`MachineError` if numpy or OpenVINO would crash here. Call before importing them."""
    trouble = cpu_trouble(read_cpu()) or glibc_trouble(glibc_version())
    if trouble:
        raise MachineError(trouble)
