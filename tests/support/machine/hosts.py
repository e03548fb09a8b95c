"""The systems that machines boot, and which tests a short run takes on which of them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

SELECTION_VARIABLE = "BACKLINE_MACHINE_SELECTION"
"""``ci`` takes the selection below; without it every test runs on every host."""


@dataclass(frozen=True)
class Host:
    """A system of the machines.

    Attributes:
        name: in the names of tests.
        suite: the release of Debian, as debootstrap knows it.
        systemd: its version.
        runs_a_checkout: its own Python runs Backline, so that it can be installed by hand.
        runs_older_releases: the bundles of before C library 2.28 was enough run there.
    """

    name: str
    suite: str
    systemd: int
    runs_a_checkout: bool
    runs_older_releases: bool

    def __str__(self) -> str:
        return self.name


DEBIAN_12 = Host("debian-12", "bookworm", 252, runs_a_checkout=True, runs_older_releases=True)
DEBIAN_11 = Host("debian-11", "bullseye", 247, runs_a_checkout=False, runs_older_releases=False)
HOSTS = (DEBIAN_12, DEBIAN_11)

SHORT = {
    # All that is not of the system is tested here.
    DEBIAN_12.name: {
        "test_life.py": ("",),
        "test_isolation.py": ("",),
        "test_upgrade.py": ("",),
        "test_power_cuts.py": ("",),
        "test_no_network.py": ("",),
        "test_older_release.py": ("",),
    },
    # What the system decides, and each way of installing once.
    DEBIAN_11.name: {
        "test_life.py": ("test_it_is_installed", "sandbox_holds", "killed_service", "full_disk", "power_cut"),
        "test_isolation.py": ("",),
        "test_upgrade.py": (
            *("nothing_that_helps", "one_command_installs_it", "a_vocal_goes_in"),
            *("an_upgrade_while_it_works", "rolled_back", "crashes at the start"),
            *("uninstalling_keeps", "installed_again", "test_purged"),
        ),
        "test_deb.py": ("",),
        "test_odd_systems.py": ("",),
    },
}
"""By host and module, parts of the names of the tests that a short run takes; '': all of them."""


def is_taken(module: str, test: str) -> bool:
    """Whether this run takes the test ``test``, with its parameters, of the file ``module``."""
    host = next((host.name for host in HOSTS if re.search(rf"\b{host.name}\b", test)), None)
    if os.environ.get(SELECTION_VARIABLE) != "ci" or host is None:
        return True
    return any(part in test for part in SHORT[host].get(module, ()))
