"""Installing and working where an administrator or a hardened system has made things unusual.

The tests depend on each other, in this order.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.machine.bare import PREFIX, PROGRAM, WORK, Bare
from support.machine.bundles import Bundles

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

VERSION = "6.0"
SECURE_PATH = "/sbin:/bin:/usr/sbin:/usr/bin"
"""Of sudo on RHEL: without /usr/local/bin."""


def as_sudo(bare: Bare, line: str) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell with an environment as sudo leaves it, umask 077, and in the C locale."""
    environment = ["env", "-i", f"PATH={SECURE_PATH}", "LANG=C", "HOME=/root", "SUDO_USER=singer"]
    return bare.machine.tried(*environment, "sh", "-c", f"umask 077; {line}")


def test_a_prefix_without_programs_is_refused(bare: Bare, bundles: Bundles) -> None:
    bare.machine.run("mount", "-t", "tmpfs", "-o", "noexec,size=2g", "tmpfs", "/opt")
    done = bare.install(bundles.derived(VERSION))
    print(done.stderr)
    assert done.returncode == 1 and "noexec" in done.stderr and "remount" in done.stderr
    assert not bare.path(PREFIX).exists()
    bare.machine.run("umount", "/opt")


def test_it_installs_under_a_strict_umask_without_shared_memory(bare: Bare, bundles: Bundles) -> None:
    # Without the folder itself systemd starts no service that has PrivateDevices=.
    bare.machine.run("umount", "/dev/shm")
    bare.machine.run("chmod", "0", "/dev/shm")
    bare.machine.run("mount", "-o", "remount,noexec", "/tmp")
    done = as_sudo(bare, f"sh {bare.carry(bundles.derived(VERSION))} --yes")
    assert done.returncode == 0, done.stderr
    assert bare.release == VERSION and bare.leftovers() == []
    closed = bare.machine.run("find", PREFIX, "!", "-type", "l", "!", "-perm", "-o=r", "!", "-name", ".lock")
    assert closed == "", "the service reads it as another user"
    assert as_sudo(bare, "command -v backline").returncode != 0 and as_sudo(bare, PROGRAM).returncode != 127


def test_it_works_there(bare: Bare, song: Path) -> None:
    bare.set_up()
    bare.works(song, "Grüße.wav")
    done = bare.machine.tried("env", "LANG=C", PROGRAM, "history", user="singer")
    assert done.returncode == 0 and "Grüße.wav" in done.stdout, done.stderr


def test_what_is_added_under_a_strict_umask_is_readable(bare: Bare, bundles: Bundles, song: Path) -> None:
    file = bare.carry(bundles.pack(bundles.fake_pack, "trio", "2.0"))
    done = as_sudo(bare, f"{PROGRAM} pack install {file} && {PROGRAM} pack use trio")
    assert done.returncode == 0, done.stderr
    assert bare.works(song, "trio.wav")["pack"]["name"] == "trio"


def test_settings_that_the_service_may_not_read_are_named(bare: Bare, song: Path) -> None:
    bare.path("/etc/backline/backline.toml").unlink()
    assert as_sudo(bare, f"{PROGRAM} config --show >/etc/backline/backline.toml").returncode == 0
    bare.systemctl("reload", "backline")
    says = "/etc/backline/backline.toml"
    said = bare.until(
        lambda: [line for line in bare.log("--unit", "backline").splitlines() if "cannot be read" in line],
        "for the service to say so",
    )
    print(said)
    assert says in said[0]
    bare.configure(work=WORK)
    bare.systemctl("reload", "backline")
    bare.works(song, "after-all.wav")
