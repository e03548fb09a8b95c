"""What this computer cannot wall the service off with, and what that means.

The unit asks for more than an older systemd or kernel knows, and both ignore silently what they do not know.
The versions are those of systemd's own manual pages ("Added in version") and of its NEWS file; of the kernel,
those of the manual pages landlock(7) and PR_SET_MDWE(2const).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.releases.layout import Layout
from appliance.releases.systemd_units import NOEXEC, SERVICE, SystemdUnits
from appliance.system import seccomp, syscalls

OLDEST_SYSTEMD = 239
"""The oldest version of systemd that the units are written for (RHEL 8)."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that an older computer lacks.

    Attributes:
        name: the directive of the unit, or the name that the kernel gives it.
        since: what brought it, such as ``systemd 248``.
        missing: what its absence means, in words for an administrator.
        covered: whether other measures do the same, so that nothing is lost.
    """

    name: str
    since: str
    missing: str
    covered: bool = False

    def line(self) -> str:
        """One line about it."""
        return f"{self.name} (needs {self.since}): {self.missing}"


OPTIONAL_DIRECTIVES = (
    Measure(
        "RestrictSUIDSGID",
        "systemd 242",
        "a service that was taken over could leave a program that runs as its user when others start it.",
    ),
    Measure(
        "ProtectHostname",
        "systemd 242",
        "nothing is lost: the service has no capability to rename the computer.",
        covered=True,
    ),
    Measure(
        "OOMPolicy",
        "systemd 243",
        "nothing is lost: an older systemd always does what it asks for, and lets the service continue when "
        "memory ran out for one of its processes.",
        covered=True,
    ),
    Measure(
        "ProtectKernelLogs",
        "systemd 244",
        "nothing is lost: the filter of system calls and the private /dev hide the kernel's log.",
        covered=True,
    ),
    Measure(
        "ProtectClock",
        "systemd 245",
        "nothing is lost: the service has neither a capability nor a system call to set the clock.",
        covered=True,
    ),
    Measure(
        "ProtectProc",
        "systemd 247",
        "a service that was taken over could see which programs run here, and with which arguments.",
    ),
    Measure(
        "NoExecPaths",
        "systemd 248",
        "a service that was taken over could run a program that lies in the inbox.",
    ),
    Measure(
        "PrivateIPC",
        "systemd 248",
        "a service that was taken over could reach System V shared memory and semaphores of other programs, "
        "where these let every user in.",
    ),
)
"""The directives of our units that systemd 239 does not know. A test compares them with the units."""

MOUNTED = "/run/backline-noexec"
"""Where ``noexec.sh`` mounts the folders."""

_BY_MOUNTS = "nothing is lost: backline-noexec.service mounts the folders without programs instead."
_LANDLOCK_CALL = "landlock_create_ruleset"


def missing_measures(
    layout: Layout,
    control_groups: Path = Path("/sys/fs/cgroup"),
    mountinfo: Path = Path("/proc/self/mountinfo"),
) -> list[Measure] | None:
    """The measures that this computer lacks for the installed service; None where systemd does not run it.

    ``control_groups`` is where the control groups are mounted, ``mountinfo`` the kernel's list of mounts.
    """
    names = (*(measure.name for measure in OPTIONAL_DIRECTIVES), "SystemCallFilter", "DropInPaths")
    shown = SystemdUnits(layout).properties(SERVICE, *names)
    if shown is None:
        return None
    found = list(_of_systemd(layout, shown, mountinfo))
    found += _of_the_kernel(shown, syscalls.landlock_version())
    if not (control_groups / "cgroup.controllers").exists():
        found.append(
            Measure(
                "MemoryHigh, MemorySwapMax",
                "control groups version 2",
                "the service is not slowed down before it reaches its limit of memory (MemoryMax holds all "
                "the same), it may fill the swap, and the address filter of metrics-port.conf does nothing.",
            )
        )
    return found


def _of_systemd(layout: Layout, shown: Mapping[str, str], mountinfo: Path) -> Iterator[Measure]:
    for measure in OPTIONAL_DIRECTIVES:
        if measure.name in shown:
            continue
        if measure.name == "NoExecPaths" and _mounted_without_programs(layout, shown, mountinfo):
            yield Measure(measure.name, measure.since, _BY_MOUNTS, covered=True)
        else:
            yield measure


def _mounted_without_programs(layout: Layout, shown: Mapping[str, str], mountinfo: Path) -> bool:
    """Whether the mounts that stand in for NoExecPaths= do so, or will when the service starts."""
    state = (SystemdUnits(layout).properties(NOEXEC, "ActiveState") or {}).get("ActiveState", "failed")
    rows = [line.split() for line in mountinfo.read_text(errors="replace").splitlines() if line]
    options = [row[5].split(",") for row in rows if row[4].startswith(f"{MOUNTED}/")]
    mounted = bool(options) if state == "active" else state != "failed"
    return mounted and all("noexec" in each for each in options) and "noexec.conf" in shown["DropInPaths"]


def _of_the_kernel(shown: Mapping[str, str], landlock: int) -> Iterator[Measure]:
    filtered = seccomp.is_available()
    instead = " It can change none, and start no program." if filtered else ""
    reading = f"the process that decodes recordings can read other files that the service can read.{instead}"
    if landlock < 1:
        yield Measure("Landlock", "Linux 5.13", reading)
    elif _LANDLOCK_CALL not in shown.get("SystemCallFilter", _LANDLOCK_CALL):
        yield Measure("Landlock", "libseccomp 2.5.2, which systemd uses", reading)
    if not syscalls.can_deny_new_code():
        if filtered:
            same = "nothing is lost: a filter of system calls denies the decoder new code instead."
            yield Measure("PR_SET_MDWE", "Linux 6.3", same, covered=True)
        else:
            new = "a recording that exploits a fault of the decoder could bring code of its own."
            yield Measure("PR_SET_MDWE", "Linux 6.3", new)
