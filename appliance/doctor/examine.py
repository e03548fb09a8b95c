"""``backline doctor``: all checks, in their order.

The CPU and the C library are checked first, with the standard library alone: other checks import libraries
that would crash on old ones. If either is too old, those checks are reported as not made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.doctor.checks import Check, DoctorReport
from appliance.doctor.computer import check_disk, check_glibc, check_memory, check_network, check_processor
from appliance.doctor.installation import check_isolation, check_release
from appliance.doctor.pack import check_kernels, check_pack, check_profile
from appliance.system.cpu import Cpu, read_cpu


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
