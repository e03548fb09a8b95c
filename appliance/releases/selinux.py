"""Labels for SELinux, where it runs: of the program, and of the folders that people reach over Samba.

The policy knows which label belongs below /opt; files that were unpacked elsewhere and moved there lack it
until restorecon(8) sets it. A label for /srv/backline is a choice, which semanage(8) records.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from appliance.releases.layout import Layout
from appliance.releases.systemd_units import run_in_c_locale, system_program

FOLDERS = "/srv/backline"
TYPE = "samba_share_t"
"""Samba may serve what has this label. Programs that no policy confines, such as Backline, may use it too."""

_LIMIT_S = 600.0


def is_on(layout: Layout) -> bool:
    """Whether this kernel runs with SELinux, enforcing or not."""
    return (layout.root / "sys/fs/selinux/enforce").exists()


def set_labels(layout: Layout, say: Callable[[str], None], *, first: bool) -> None:
    """Label the installation, and in the ``first`` one also the folders for vocals and results.

    A rule that an administrator has made for these folders stays. Where a program is missing or fails,
    ``say`` receives what to do; a label that is needed and missing shows when the service starts.
    """
    if not is_on(layout):
        return
    _call(say, "restorecon", "-R", str(layout.prefix))
    if not first:
        return
    folders = str(layout.root / FOLDERS.lstrip("/"))
    rule = ("fcontext", "-a", "-t", TYPE, f"{folders}(/.*)?")
    if _call(say, "semanage", *rule, known="already defined"):
        _call(say, "restorecon", "-R", folders)


def forget_labels(layout: Layout, say: Callable[[str], None]) -> None:
    """Remove the rule for the folders, after they were removed."""
    if is_on(layout):
        folders = str(layout.root / FOLDERS.lstrip("/"))
        _call(say, "semanage", "fcontext", "-d", f"{folders}(/.*)?", known="is not defined")


def _call(say: Callable[[str], None], program: str, *words: str, known: str = "") -> bool:
    """Run a program; True if it succeeded. A failure whose message contains ``known`` is expected."""
    said = " ".join(f"'{word}'" if "(" in word else word for word in (program, *words))
    found = system_program(program)
    if found is None:
        package = "policycoreutils-python-utils" if program == "semanage" else "policycoreutils"
        say(f"SELinux runs here, but {program} is missing; install {package}, then run: {said}")
        return False
    try:
        done = run_in_c_locale(found, *words, limit_s=_LIMIT_S)
    except subprocess.TimeoutExpired:
        say(f"SELinux: '{said}' took longer than {_LIMIT_S:.0f} s; run it again later.")
        return False
    message = " ".join((done.stderr or done.stdout).split())
    if done.returncode != 0 and not (known and known in message):
        say(f"SELinux: '{said}' failed: {message[-300:]}; run it again when that is repaired.")
    return done.returncode == 0
