"""Runs a finished release on emulated older processors.

qemu stops with an illegal-instruction signal at any instruction that the emulated processor lacks.
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
"""Flags of a Core 2 from 2006, "Conroe" in qemu: the appliance must refuse it."""

CPUS = {
    "Conroe": BELOW_THE_FLOOR,
    "Nehalem": GENERATIONS["nehalem"],
    "Haswell": GENERATIONS["haswell"],
}
"""Names of processors in qemu, each with the CPU flags that Linux reports for it."""

LIMIT_S = 3600
"""Time limit of one emulated command."""

RENDERED_S = 8.0
"""How much of the demo vocal is rendered: a few bars, which take minutes to emulate."""


def emulated(tree: Path, cpu: str, aside: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``backline ARGUMENTS`` of ``tree`` on the emulated ``cpu``; ``aside`` is an empty folder.

    qemu passes the real /proc/cpuinfo to programs unless the folder given by ``-L`` contains another one.
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
        # tinysoundfont 0.3.7 keeps using the address of its samples from before the last realloc, which
        # shrinks them. Linux shrinks a block in place, but qemu moves a block that was mapped by itself.
        "MALLOC_MMAP_MAX_": "0",
    }
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=environment, timeout=LIMIT_S
    )


def check_cpus(tree: Path, render: bool) -> Iterator[str]:
    """Yield one line of results per processor and command; ``render`` adds a short rendering.

    Raises :class:`BundleError` at the first command that crashes or ends with an unexpected exit code.
    """
    if not (tree / "release.json").is_file():
        raise BundleError(f"{tree} is not an unpacked release; run: make bundle.")
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
    said = (done.stdout.strip() or done.stderr.strip() or "no output").splitlines()
    what = f"{cpu}: backline {arguments[0]}"
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise BundleError(
            f"{what} was killed by {name}; an unsupported processor needs an error message instead."
        )
    expected = 0 if good else MachineError.exit_code
    if done.returncode != expected:
        raise BundleError(f"{what} exited with {done.returncode} instead of {expected}: {said[-1]}")
    return f"{what}: {took_s:.0f} s, {said[0 if expected else -1]}"
