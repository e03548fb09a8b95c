"""The checks of the computer: CPU, C library, memory, disk, network."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from appliance.doctor.checks import Check, first_letter_up
from appliance.errors import OutputError
from appliance.system.cpu import Cpu, cpu_trouble, glibc_trouble, glibc_version

MEMORY_NEEDED_BYTES = 1 << 30
"""Memory that a render needs at most, for a song of any length (1 GiB)."""

DISK_FAIL_BYTES = 100 << 20
DISK_WARN_BYTES = 2 << 30
"""A minute of vocal needs 16 MB per file: accompaniment, mix and up to five stems, 111 MB in all."""


def check_processor(cpu: Cpu) -> Check:
    """Check that the CPU has the required instructions, and name its generation."""
    facts = {"model": cpu.model, "generation": cpu.generation, "cores": cpu.cores, "flags": sorted(cpu.flags)}
    trouble = cpu_trouble(cpu)
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("processor", "fail", sentence + ".", first_letter_up(remedy), facts)
    cores = "1 core" if cpu.cores == 1 else f"{cpu.cores} cores"
    return Check("processor", "ok", f"{cpu.model}, {cores}, instructions of {cpu.generation}.", facts=facts)


def check_glibc() -> Check:
    """Check the version of the GNU C library."""
    version = glibc_version()
    facts = {"glibc": f"{version[0]}.{version[1]}" if version else ""}
    trouble = glibc_trouble(version)
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("C library", "fail", sentence + ".", first_letter_up(remedy), facts)
    return Check("C library", "ok", f"GNU C library {facts['glibc']}.", facts=facts)


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Check:
    """Check the available memory."""
    try:
        rows = (line.split() for line in meminfo.read_text().splitlines())
        available = next(int(row[1]) for row in rows if row[0] == "MemAvailable:") * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return Check("memory", "warn", f"{meminfo} does not tell how much memory is available.")
    facts = {"available_bytes": available}
    if available < MEMORY_NEEDED_BYTES:
        return Check(
            "memory",
            "fail",
            f"Only {_size(available)} of memory are available, and a render may need 1.0 GiB.",
            "Close other programs or add memory.",
            facts,
        )
    return Check("memory", "ok", f"{_size(available)} of memory are available.", facts=facts)


def check_disk(out_dir: Path) -> Check:
    """Check that ``out_dir``, or its nearest existing parent, is writable and has free space."""
    place = out_dir.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return Check(
            "disk",
            "fail",
            f"Nothing can be written to {place}: {os.strerror(error.errno or 0)}.",
            "Choose another folder with --out, or change its permissions.",
            exit_code=OutputError.exit_code,
        )
    facts = {"folder": str(place), "free_bytes": free}
    sentence = f"{_size(free)} are free at {place}."
    if free < DISK_WARN_BYTES:
        status = "fail" if free < DISK_FAIL_BYTES else "warn"
        remedy = "Free some space: a minute of vocal needs up to 111 MB for accompaniment, mix and stems."
        return Check("disk", status, sentence, remedy, facts, OutputError.exit_code)
    return Check("disk", "ok", sentence, facts=facts)


def check_network() -> Check:
    """Check that no telemetry package is installed."""
    if importlib.util.find_spec("openvino_telemetry") is not None:
        return Check(
            "network",
            "warn",
            "The package openvino-telemetry is installed; Backline does not use it.",
            "Remove it: python -m pip uninstall openvino-telemetry.",
        )
    return Check("network", "ok", "No telemetry package is installed.")


def _size(amount_bytes: int) -> str:
    if amount_bytes >= 1 << 30:
        return f"{amount_bytes / (1 << 30):.1f} GiB"
    return f"{amount_bytes / (1 << 20):.0f} MiB"
