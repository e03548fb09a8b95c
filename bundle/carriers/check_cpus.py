"""A finished tree on processors that nobody here has.

qemu translates every instruction, and dies of those that the named processor does not know.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import soundfile

from appliance.errors import MachineError
from appliance.system.cpu import GENERATIONS
from bundle.errors import BundleError
from bundle.tools.programs import program

BELOW_THE_FLOOR = frozenset({"sse2", "ssse3", "cx16"})
"""Core 2 of 2006, which qemu calls Conroe."""

CPUS = {
    "Conroe": BELOW_THE_FLOOR,
    "Nehalem": GENERATIONS["nehalem"],
    "Haswell": GENERATIONS["haswell"],
}
"""qemu's names, with the flags that Linux shows there."""

LIMIT_S = 3600

RENDERED_S = 8.0
"""Of the demo: enough for a few bars, and some minutes of emulation."""


def emulated(tree: Path, cpu: str, aside: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``backline ARGUMENTS`` of ``tree`` as the processor ``cpu``; ``aside`` is an empty folder.

    qemu shows programs the real /proc/cpuinfo; what it finds below the folder of ``-L`` it shows instead.
    """
    cpuinfo = aside / "shown" / "proc" / "cpuinfo"
    cpuinfo.parent.mkdir(parents=True)
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: {cpu}\nflags\t\t: {' '.join(sorted(CPUS[cpu]))}\n")
    command = [
        *(program("qemu-x86_64-static"), "-cpu", cpu, "-L", aside / "shown"),
        *(tree / "python" / "bin" / "python3", "-I", "-B", "-m", "appliance", *arguments),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "BACKLINE_KEYS": str(tree / "keys"),
        "BACKLINE_PACK": str(tree / "packs" / "reference"),
        "XDG_CACHE_HOME": str(aside),
        "XDG_STATE_HOME": str(aside),
        # tinysoundfont 0.3.7 keeps the address that its samples had before the last realloc, which only
        # shrinks them. A kernel leaves such memory where it is; qemu moves what was mapped on its own.
        "MALLOC_MMAP_MAX_": "0",
    }
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=environment, timeout=LIMIT_S
    )


def check_cpus(tree: Path, render: bool) -> Iterator[str]:
    """A line for each processor; :class:`BundleError` as soon as one does what it should not."""
    if not (tree / "release.json").is_file():
        raise BundleError(f"{tree} is no unpacked release; make bundle.")
    for cpu in CPUS:
        good = CPUS[cpu] >= GENERATIONS["nehalem"]
        for arguments in (("--version",), ("doctor",)):
            yield _one(tree, cpu, good, *arguments)
        if good and render:
            with tempfile.TemporaryDirectory() as folder:
                vocal = Path(folder) / "vocal.wav"
                samples, rate_hz = soundfile.read(tree / "demo" / "vocal.flac")
                soundfile.write(vocal, samples[: round(RENDERED_S * rate_hz)], rate_hz)
                yield _one(tree, cpu, good, "render", vocal, "--out", "OUT")


def _one(tree: Path, cpu: str, good: bool, *arguments: str | Path) -> str:
    with tempfile.TemporaryDirectory() as aside:
        began = time.monotonic()
        words = [Path(aside) / "out" if word == "OUT" else word for word in arguments]
        done = emulated(tree, cpu, Path(aside), *words)
        took_s = time.monotonic() - began
    said = (done.stdout.strip() or done.stderr.strip() or "nothing said").splitlines()
    what = f"{cpu}: backline {arguments[0]}"
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise BundleError(f"{what} died of {name}; it must say in a sentence what is missing.")
    expected = 0 if good else MachineError.exit_code
    if done.returncode != expected:
        raise BundleError(f"{what} ended with {done.returncode} and not {expected}: {said[-1]}")
    return f"{what}: {took_s:.0f} s, {said[0 if expected else -1]}"
