"""``backline doctor``: checks whether this computer can run Backline, with a remedy for each failure.

The CPU and the C library are checked first, with the standard library alone: other checks import libraries
that would crash on old ones. If either is too old, those checks are reported as not made.
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
"""Memory that a render needs at most, for a song of any length (1 GiB)."""

DISK_FAIL_BYTES = 100 << 20
DISK_WARN_BYTES = 2 << 30
"""A minute of vocal needs 16 MB per file: accompaniment, mix and up to five stems, 111 MB in all."""

INT8_SHARE_EXPECTED = 0.9
INT8_LAYERS_COUNTED = 20
"""Graphs with more weighted layers than this are expected to run at least 90 % of them as INT8."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: ``status`` is ``ok``, ``warn`` or ``fail``; ``facts`` can be written as JSON.

    The command ends with ``exit_code`` if this is the first failed check.
    """

    name: str
    status: str
    sentence: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = MachineError.exit_code
    lines: tuple[str, ...] = ()
    """Further lines for the terminal, such as a table."""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All checks, in their order."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """The exit code of the first failed check, 0 if none failed (docs/options.md, "Exit codes")."""
        return next((check.exit_code for check in self.checks if check.status == "fail"), 0)

    def to_json(self) -> dict[str, Any]:
        """The report as dicts and lists, for JSON."""
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
    """Check this computer, the pack in ``pack_dir`` and the folder for results, ``out_dir``.

    ``profiles`` is the folder of profiles; None skips that check. ``load_pack`` verifies a pack and raises
    :class:`PackError`, by default :func:`appliance.packs.pack.load_pack`. ``cpu`` is the CPU to judge, by
    default this computer's. A failed check is part of the report and never raised.
    """
    floor = [check_processor(cpu or read_cpu()), check_glibc()]
    checks = [*floor, check_memory(), check_disk(out_dir), check_network(), check_release()]
    checks.append(check_isolation())
    if any(check.status == "fail" for check in floor):
        unchecked = "Not checked, because the CPU or the C library is too old to load the graphs."
        checks += [Check("pack", "warn", unchecked), Check("kernels", "warn", unchecked)]
    else:
        pack = check_pack(pack_dir, load_pack)
        checks.append(pack)
        if pack.status != "fail":
            checks.append(check_kernels(pack_dir))
        if pack.status != "fail" and profiles is not None:
            checks.append(check_profile(pack_dir, profiles))
    return DoctorReport(tuple(checks))


def check_processor(cpu: Cpu) -> Check:
    """Check that the CPU has the required instructions, and name its generation."""
    facts = {"model": cpu.model, "generation": cpu.generation, "cores": cpu.cores, "flags": sorted(cpu.flags)}
    trouble = cpu_trouble(cpu)
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("processor", "fail", sentence + ".", _capital(remedy), facts)
    cores = "1 core" if cpu.cores == 1 else f"{cpu.cores} cores"
    return Check("processor", "ok", f"{cpu.model}, {cores}, instructions of {cpu.generation}.", facts=facts)


def check_glibc() -> Check:
    """Check the version of the GNU C library."""
    version = glibc_version()
    facts = {"glibc": f"{version[0]}.{version[1]}" if version else ""}
    trouble = glibc_trouble(version)
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("C library", "fail", sentence + ".", _capital(remedy), facts)
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


def check_release() -> Check:
    """Report the installed release and the previous one."""
    from appliance.releases.layout import Layout, own_tree, release_at

    layout, own = Layout.here(), own_tree()
    current, previous = release_at(layout.current), release_at(layout.previous)
    facts = {"release": current, "previous": previous, "folder": str(layout.prefix)}
    if current is None:
        return Check("release", "ok", f"No release is installed in {layout.prefix}.", facts=facts)
    if release_at(layout.unconfirmed) is not None:
        sentence = f"Release {current} is not confirmed yet."
        remedy = "If no installation is running, restart this computer or run /opt/backline/recover.sh."
        return Check("release", "warn", sentence, remedy, facts)
    back = f"'backline release rollback' returns to {previous}" if previous else "no previous release"
    here = "" if own == layout.release(current) else " This program is not part of it."
    return Check("release", "ok", f"Release {current}; {back}.{here}", facts=facts)


def check_isolation() -> Check:
    """Report what an older systemd or kernel cannot wall the service off with, and what that means."""
    from appliance.releases.confinement import missing_measures
    from appliance.releases.layout import Layout

    missing = missing_measures(Layout.here())
    if missing is None:
        return Check("isolation", "ok", "systemd runs no service of Backline here.")
    facts = {"missing": [asdict(measure) for measure in missing]}
    lines = tuple(measure.line() for measure in missing)
    if lost := [measure for measure in missing if not measure.covered]:
        sentence = f"{len(lost)} of the measures that wall the service off do not work on this computer."
        remedy = "The vocals are rendered all the same. A newer operating system has these measures:"
        return Check("isolation", "warn", sentence, remedy, facts, lines=lines)
    covered = f" {len(missing)} measures are replaced by others." if missing else ""
    sentence = f"The service is walled off as intended.{covered}"
    return Check("isolation", "ok", sentence, facts=facts, lines=lines)


def check_pack(pack_dir: Path, load_pack: Callable[[Path], object] | None = None) -> Check:
    """Check that every file of the pack is present and unaltered, and who signed it."""
    try:
        pack = (load_pack or _load_pack)(pack_dir)
    except BacklineError as error:
        trouble, _, remedy = str(error).rpartition("; ")  # a BacklineError ends with the remedy
        facts = {"folder": str(pack_dir)}
        if not trouble:
            return Check("pack", "fail", str(error), "", facts, error.exit_code)
        return Check("pack", "fail", f"{trouble}.", _capital(remedy), facts, error.exit_code)
    key_id = getattr(pack, "key_id", None)
    by = f"signed by key {key_id}" if key_id else "its signature is not checked ($BACKLINE_KEYS is not set)"
    facts = {"folder": str(pack_dir), "signed_by": key_id or ""}
    return Check("pack", "ok", f"The pack {_with_target(pack_dir)} is intact; {by}.", facts=facts)


def check_kernels(pack_dir: Path) -> Check:
    """Check that the pack's graphs compile on this CPU and run as INT8."""
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
                f"{graph} does not compile on this CPU: {reason}",
                "Fetch the pack again; if that does not help, the pack is for another version of Backline.",
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
        sentence = f"{pack_dir} has no graphs."
        return Check("kernels", "fail", sentence, "Fetch the pack again.", facts, PackError.exit_code)
    if slow:
        return Check(
            "kernels",
            "warn",
            f"Layers that run as INT8: {told}; slower than intended: {', '.join(slow)}.",
            "Quantise the pack again (python -m quantize), or report this CPU.",
            facts,
        )
    return Check("kernels", "ok", f"Layers that run as INT8: {told}.", facts=facts)


def check_profile(pack_dir: Path, profiles: Path) -> Check:
    """Report the profile for this CPU and pack, if there is one."""
    from appliance.packs.pack import load_pack
    from appliance.tuning.profile_key import key_of
    from appliance.tuning.store import read_profile
    from appliance.tuning.table import profile_lines, profile_sentence

    profile, trouble = read_profile(profiles, key_of(load_pack(pack_dir, verify=False), None))
    if trouble:
        sentence, _, remedy = trouble.partition("; ")
        return Check("profile", "warn", f"{sentence}.", _capital(remedy))
    if profile is None:
        sentence = f"{profiles} has no profile for this CPU; graphs run with the shipped settings."
        return Check("profile", "ok", f"{sentence} 'backline tune' measures the fastest.")
    facts = {"sha256": profile.sha256, **profile.model_dump(mode="json", by_alias=True)}
    return Check("profile", "ok", profile_sentence(profile), facts=facts, lines=tuple(profile_lines(profile)))


def _load_pack(pack_dir: Path) -> object:
    from appliance.packs.pack import load_pack  # imports NumPy, which crashes on an old CPU

    return load_pack(pack_dir)


def _with_target(folder: Path) -> str:
    """The folder's path, followed by the target if it is a link."""
    return f"{folder} ({folder.resolve()})" if folder.is_symlink() else str(folder)


def _size(amount_bytes: int) -> str:
    if amount_bytes >= 1 << 30:
        return f"{amount_bytes / (1 << 30):.1f} GiB"
    return f"{amount_bytes / (1 << 20):.0f} MiB"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
