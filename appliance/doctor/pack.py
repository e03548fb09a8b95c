"""The checks of a pack: its files, its graphs on this CPU, its profile.

Nothing here is imported at the top that loads NumPy or OpenVINO: they crash on an old CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.doctor.checks import Check, first_letter_up
from appliance.errors import BacklineError, PackError

INT8_SHARE_EXPECTED = 0.9
INT8_LAYERS_COUNTED = 20
"""Graphs with more weighted layers than this are expected to run at least 90 % of them as INT8."""


def check_pack(pack_dir: Path, load_pack: Callable[[Path], object] | None = None) -> Check:
    """Check that every file of the pack is present and unaltered, and who signed it."""
    try:
        pack = (load_pack or _load_pack)(pack_dir)
    except BacklineError as error:
        trouble, _, remedy = str(error).rpartition("; ")  # a BacklineError ends with the remedy
        facts = {"folder": str(pack_dir)}
        if not trouble:
            return Check("pack", "fail", str(error), "", facts, error.exit_code)
        return Check("pack", "fail", f"{trouble}.", first_letter_up(remedy), facts, error.exit_code)
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
        return Check("profile", "warn", f"{sentence}.", first_letter_up(remedy))
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
