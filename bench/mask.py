"""Runs a command while the CPU claims to be of an older generation.

A faithful mask (kind ``cpuid``) is the auditing library of ``cpumask.c``. It changes the results of CPUID, so
that every library that selects kernels takes the old path (oneDNN, OpenVINO's own JIT, TBB, numpy). It needs
gcc and objdump. Without them an environment variable caps oneDNN alone (kind ``onednn``); OpenVINO's own
kernels and numpy ignore it, and the results say so.

    python -m bench.mask haswell .venv-runtime/bin/backline doctor
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.files.whole import write_whole
from appliance.system.cpu import GENERATIONS, read_cpu

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "cpumask"

ONEDNN_CAP = {
    "nehalem": "SSE41",
    "sandybridge": "AVX",
    "haswell": "AVX2",
    "skylake-avx512": "AVX512_CORE",
    "cascadelake": "AVX512_CORE_VNNI",
}
"""The nearest cap that oneDNN offers for each generation, oldest first."""

# Features that the dynamic linker must not use when it selects memcpy and libm kernels, by generation.
_AVX512 = ("AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "AVX512CD")
_LIBC_WITHOUT = {
    "nehalem": (*_AVX512, "AVX2", "AVX", "FMA", "FMA4", "BMI1", "BMI2", "LZCNT", "MOVBE", "ERMS", "OSXSAVE"),
    "sandybridge": (*_AVX512, "AVX2", "FMA", "FMA4", "BMI1", "BMI2", "LZCNT", "MOVBE"),
    "haswell": (*_AVX512, "FMA4"),
    "skylake-avx512": (),
    "cascadelake": (),
}

_UNSEARCHED = re.compile(r"^cpumask: not searched: (/.+)$", re.MULTILINE)


@dataclass
class Mask:
    """Runs commands as ``generation``; ``kind`` is ``cpuid``, ``onednn`` or ``none``."""

    generation: str
    kind: str
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return {
            "cpuid": f"{self.generation} (CPUID masked for every library)",
            "onednn": f"{self.generation} (NOT faithful: only oneDNN is capped; no gcc or objdump here)",
            "none": "this CPU, unmasked",
        }[self.kind]

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run ``command`` under the mask and capture its output.

        If the command opens libraries that were not yet searched for CPUID, they are searched and the
        command runs again; so it must be safe to run twice.
        """
        while True:
            done = subprocess.run(
                [str(part) for part in command],
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                check=False,
            )
            if not search_missing(done.stderr):
                return done


def mask(generation: str | None) -> Mask:
    """The most faithful mask that this machine supports; ``None`` means no mask.

    Raises:
        ValueError: ``generation`` is unknown, or newer than this CPU.
    """
    if generation is None:
        return Mask("host", "none")
    if generation not in ONEDNN_CAP:
        raise ValueError(f"unknown generation {generation!r}; choose one of {', '.join(ONEDNN_CAP)}")
    missing = GENERATIONS[generation] - read_cpu().flags
    if missing:
        raise ValueError(f"this CPU cannot run as {generation}: it lacks {', '.join(sorted(missing))}")
    libc = ",".join(f"-{name}" for name in _LIBC_WITHOUT[generation])
    tunables = {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={libc}"} if libc else {}
    library = _build()
    if library is None:
        return Mask(generation, "onednn", {"ONEDNN_MAX_CPU_ISA": ONEDNN_CAP[generation], **tunables})
    return Mask(
        generation,
        "cpuid",
        {
            "LD_AUDIT": str(library),
            "CPUMASK_GENERATION": generation,
            "CPUMASK_SITES": str(_write_sites()),
            **tunables,
        },
    )


def search_missing(errors: str) -> bool:
    """Search the libraries that a masked command's ``errors`` report as not searched.

    Returns whether there were any: then the mask was incomplete and the command must run again.
    """
    unsearched = sorted(set(_UNSEARCHED.findall(errors)))
    if unsearched:
        _search(unsearched)
    return bool(unsearched)


def _build() -> Path | None:
    """Compile ``cpumask.c``; ``None`` without gcc or objdump, or if it does not compile."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or shutil.which("objdump") is None or not sys.platform.startswith("linux"):
        return None
    source, library = HERE / "cpumask.c", BUILD / "cpumask.so"
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}.so")
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(fresh), str(source)]
        if subprocess.run(command, check=False).returncode:
            return None
        fresh.replace(library)
    return library


def _identity(path: str) -> str:
    """Size and modification time, which change when the file does."""
    status = Path(path).stat()
    return f"{status.st_size}:{status.st_mtime_ns}"


def _known() -> dict[str, tuple[str, list[str]]]:
    """Libraries searched so far: path -> (identity, addresses of CPUID), without those that changed."""
    try:
        stored = json.loads((BUILD / "sites.json").read_text())
    except (OSError, ValueError):
        return {}
    return {p: (i, a) for p, (i, a) in stored.items() if Path(p).exists() and _identity(p) == i}


def _search(paths: Sequence[str]) -> None:
    """Disassemble ``paths`` and store the addresses of their CPUID instructions."""
    known = _known()
    for path in paths:
        known[path] = (_identity(path), _cpuid_addresses(path))
    BUILD.mkdir(parents=True, exist_ok=True)
    write_whole(BUILD / "sites.json", json.dumps(known).encode())
    _write_sites()


def _cpuid_addresses(path: str) -> list[str]:
    """Virtual addresses (hex) of CPUID in an ELF file, which is disassembled only if its bytes occur."""
    if b"\x0f\xa2" not in Path(path).read_bytes():
        return []
    command = ["objdump", "-d", "--no-show-raw-insn", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as dump:
        assert dump.stdout is not None
        found = [line.split(":")[0].strip() for line in dump.stdout if line.rstrip().endswith("\tcpuid")]
    if dump.returncode:
        raise RuntimeError(f"{path}: objdump cannot disassemble it; run objdump -d on it to see why")
    return found


def _write_sites() -> Path:
    """Write the addresses in the form that ``cpumask.c`` reads."""
    target = BUILD / "sites.txt"
    lines = [line for path, (_, sites) in _known().items() for line in (f"= {path}", *sites)]
    write_whole(target, "".join(f"{line}\n" for line in lines).encode())
    return target


def main() -> int:
    """``python -m bench.mask GENERATION COMMAND...``"""
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        chosen = mask(sys.argv[1])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(chosen, file=sys.stderr)
    done = chosen.run(sys.argv[2:])
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
