"""Can this machine do the job? Each answer is a sentence, and each "no" comes with a remedy.

The checks run from the bottom up: what would crash the later ones is asked first, with nothing but the
standard library, and what cannot be asked then says so.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import BacklineError, MachineError, OutputError, PackError
from appliance.system.cpu import Cpu, cpu_trouble, glibc_trouble, glibc_version, read_cpu

MEMORY_NEEDED_BYTES = 1 << 30
"""A render stays below this, whatever the song's length."""

DISK_FAIL_BYTES = 100 << 20
DISK_WARN_BYTES = 2 << 30
"""A minute of vocal makes 16 MB a file: accompaniment, mix and up to five stems, 111 MB together."""

INT8_SHARE_EXPECTED = 0.9
INT8_LAYERS_COUNTED = 20
"""Graphs with more weighted layers than this are expected to run 9 in 10 of them as INT8."""


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: ``status`` is ``ok``, ``warn`` or ``fail``; ``facts`` are its numbers, JSON-able.

    ``exit_code`` is what the command ends with when this is the first failure.
    """

    name: str
    status: str
    sentence: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = MachineError.exit_code
    lines: tuple[str, ...] = ()
    """More for a person: a table."""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All answers, in the order they were asked."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """0 when nothing failed, else the code of the first failure (docs/options.md, "Exit codes")."""
        return next((check.exit_code for check in self.checks if check.status == "fail"), 0)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists."""
        checks = [asdict(check) for check in self.checks]
        return {"ok": self.exit_code == 0, "exit_code": self.exit_code, "checks": checks}


def doctor(
    pack_dir: Path,
    out_dir: Path = Path(),
    *,
    profiles: Path | None = None,
    load_pack: Callable[[Path], object] | None = None,
    cpu: Cpu | None = None,
) -> DoctorReport:
    """Examine this machine, ``pack_dir`` and the place where results go. Never raises for what it finds.

    ``profiles`` is the folder of profiles for processors; without one nothing is said of them.

    ``load_pack`` verifies a pack and raises :class:`PackError`; the default is
    :func:`appliance.packs.pack.load_pack`. ``cpu`` is the processor to judge, by default this one.
    """
    floor = [check_processor(cpu or read_cpu()), check_glibc()]
    checks = [*floor, check_memory(), check_disk(out_dir), check_network(), check_release()]
    if any(check.status == "fail" for check in floor):
        untold = "Not examined, because the processor or the C library is too old to load the graphs."
        checks += [Check("pack", "warn", untold), Check("kernels", "warn", untold)]
    else:
        pack = check_pack(pack_dir, load_pack)
        checks.append(pack)
        if pack.status != "fail":
            checks.append(check_kernels(pack_dir))
        if pack.status != "fail" and profiles is not None:
            checks.append(check_profile(pack_dir, profiles))
    return DoctorReport(tuple(checks))


def check_processor(cpu: Cpu) -> Check:
    """Is the processor at or above the floor, and of which generation?"""
    facts = {"model": cpu.model, "generation": cpu.generation, "cores": cpu.cores, "flags": sorted(cpu.flags)}
    trouble = cpu_trouble(cpu)
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("processor", "fail", sentence + ".", _capital(remedy), facts)
    cores = "1 core" if cpu.cores == 1 else f"{cpu.cores} cores"
    return Check("processor", "ok", f"{cpu.model}, {cores}, instructions of {cpu.generation}.", facts=facts)


def check_glibc() -> Check:
    """Is the C library at or above the floor?"""
    version = glibc_version()
    facts = {"glibc": f"{version[0]}.{version[1]}" if version else ""}
    trouble = glibc_trouble(version)
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("C library", "fail", sentence + ".", _capital(remedy), facts)
    return Check("C library", "ok", f"GNU C library {facts['glibc']}.", facts=facts)


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Check:
    """Is there memory for a render?"""
    try:
        rows = (line.split() for line in meminfo.read_text().splitlines())
        available = next(int(row[1]) for row in rows if row[0] == "MemAvailable:") * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return Check("memory", "warn", f"{meminfo} does not say how much memory is free.")
    facts = {"available_bytes": available}
    if available < MEMORY_NEEDED_BYTES:
        return Check(
            "memory",
            "fail",
            f"Only {_size(available)} of memory are free, and a render may need 1.0 GiB.",
            "Close other programs or add memory.",
            facts,
        )
    return Check("memory", "ok", f"{_size(available)} of memory are free.", facts=facts)


def check_disk(out_dir: Path) -> Check:
    """Can results be written to ``out_dir`` (or made there), and is there room?"""
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
        remedy = "Make room: a minute of vocal becomes up to 111 MB of accompaniment, mix and stems."
        return Check("disk", status, sentence, remedy, facts, OutputError.exit_code)
    return Check("disk", "ok", sentence, facts=facts)


def check_network() -> Check:
    """Is anything installed that would report to its makers?"""
    if importlib.util.find_spec("openvino_telemetry") is not None:
        return Check(
            "network",
            "warn",
            "The package openvino-telemetry is installed; Backline does not use it.",
            "Remove it: python -m pip uninstall openvino-telemetry.",
        )
    return Check("network", "ok", "Nothing is installed that reports to its makers.")


def check_release() -> Check:
    """Which release is installed, and which one would come back?"""
    from appliance.releases.layout import Layout, own_tree, release_at

    layout, own = Layout.here(), own_tree()
    current, previous = release_at(layout.current), release_at(layout.previous)
    facts = {"release": current, "previous": previous, "folder": str(layout.prefix)}
    if current is None:
        return Check("release", "ok", f"No release is installed in {layout.prefix}.", facts=facts)
    if release_at(layout.unconfirmed) is not None:
        sentence = f"Release {current} has not proved itself yet."
        remedy = "If no installation is at work, restart this computer, or run /opt/backline/recover.sh."
        return Check("release", "warn", sentence, remedy, facts)
    back = f"{previous} would come back with 'backline release rollback'" if previous else "none before it"
    here = "" if own == layout.release(current) else " This program is another one."
    return Check("release", "ok", f"Release {current}; {back}.{here}", facts=facts)


def check_pack(pack_dir: Path, load_pack: Callable[[Path], object] | None = None) -> Check:
    """Is the pack whole and unaltered?"""
    try:
        pack = (load_pack or _load_pack)(pack_dir)
    except BacklineError as error:
        trouble, _, remedy = str(error).rpartition("; ")  # both are in the sentence of a BacklineError
        facts = {"folder": str(pack_dir)}
        if not trouble:
            return Check("pack", "fail", str(error), "", facts, error.exit_code)
        return Check("pack", "fail", f"{trouble}.", _capital(remedy), facts, error.exit_code)
    key_id = getattr(pack, "key_id", None)
    by = f"signed by key {key_id}" if key_id else "its signature is not checked ($BACKLINE_KEYS is not set)"
    facts = {"folder": str(pack_dir), "signed_by": key_id or ""}
    return Check("pack", "ok", f"The pack {_leads(pack_dir)} is whole; {by}.", facts=facts)


def check_kernels(pack_dir: Path) -> Check:
    """Do the pack's graphs compile here, and do they run as INT8?"""
    import openvino

    from appliance.networks.kernel_count import KernelCount, count_kernels

    core = openvino.Core()
    counts: dict[str, KernelCount] = {}
    for graph in sorted(pack_dir.rglob("*.xml")):
        try:
            compiled = core.compile_model(str(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            return Check(
                "kernels",
                "fail",
                f"{graph} does not compile on this processor: {reason}",
                "Fetch the pack again; if it stays so, the pack is not for this version of Backline.",
                exit_code=PackError.exit_code,
            )
        counts[graph.stem] = count_kernels(compiled)
    facts = {
        name: {"layers": count.layers, "int8": count.int8, "primitives": dict(count.primitives)}
        for name, count in counts.items()
    }
    large = {name: c for name, c in counts.items() if c.layers > INT8_LAYERS_COUNTED}
    slow = [name for name, c in large.items() if c.int8_share < INT8_SHARE_EXPECTED]
    told = ", ".join(f"{name} {c.int8}/{c.layers}" for name, c in counts.items())
    if not counts:
        sentence = f"{pack_dir} holds no graphs."
        return Check("kernels", "fail", sentence, "Fetch the pack again.", facts, PackError.exit_code)
    if slow:
        return Check(
            "kernels",
            "warn",
            f"Layers that run as INT8: {told}; slower than meant: {', '.join(slow)}.",
            "Quantise the pack again (python -m quantize), or report this processor.",
            facts,
        )
    return Check("kernels", "ok", f"Layers that run as INT8: {told}.", facts=facts)


def check_profile(pack_dir: Path, profiles: Path) -> Check:
    """Is there a profile for this processor and pack, and what does it say?"""
    from appliance.packs.pack import load_pack
    from appliance.tuning.profile_key import key_of
    from appliance.tuning.store import read_profile
    from appliance.tuning.table import profile_lines, profile_sentence

    profile, trouble = read_profile(profiles, key_of(load_pack(pack_dir, verify=False), None))
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("profile", "warn", f"{sentence}.", _capital(remedy))
    if profile is None:
        sentence = f"This processor has no profile in {profiles}; everything is computed as shipped."
        return Check("profile", "ok", f"{sentence} 'backline tune' measures what is fastest.")
    facts = {"sha256": profile.sha256, **profile.model_dump(mode="json", by_alias=True)}
    return Check("profile", "ok", profile_sentence(profile), facts=facts, lines=tuple(profile_lines(profile)))


def _load_pack(pack_dir: Path) -> object:
    from appliance.packs.pack import load_pack  # brings numpy, so only above the floor

    return load_pack(pack_dir)


def _leads(place: Path) -> str:
    """A folder as it was named, and where it leads if it is a link."""
    return f"{place} ({place.resolve()})" if place.is_symlink() else str(place)


def _size(amount_bytes: int) -> str:
    if amount_bytes >= 1 << 30:
        return f"{amount_bytes / (1 << 30):.1f} GiB"
    return f"{amount_bytes / (1 << 20):.0f} MiB"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
