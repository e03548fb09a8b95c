"""What walls the service off, on a current and on an older system, and what installer and doctor say of it.

The tests depend on each other, in this order.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.machine.bare import WORK, Bare
from support.machine.bundles import Bundles
from support.machine.hosts import Host

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

VERSION = "4.0"
ATTACK = "/srv/backline/inbox/.attack.sh"
"""Hidden, so that the service does not take it for a vocal."""
TOLD = "/var/lib/backline/told"
COULD_RUN = "could run a program that lies in the inbox"
said: dict[str, str] = {}
"""What the installer printed, by the host."""


def isolation(bare: Bare) -> dict[str, Any]:
    """The doctor's check of that name."""
    report = json.loads(bare.machine.run("/usr/local/bin/backline", "doctor", "--json"))
    (check,) = (check for check in report["checks"] if check["name"] == "isolation")
    return dict(check)


def attacked(bare: Bare, vocal: Path, name: str) -> str:
    """How it ended when the service itself runs the script that a singer has put into the inbox."""
    told = bare.path(TOLD)
    told.unlink(missing_ok=True)
    script = f"printf '#!/bin/sh\\necho ran\\n' >{ATTACK} && chmod 755 {ATTACK} && {ATTACK}"
    assert bare.machine.run("sh", "-c", script, user="singer") == "ran\n", "outside of the service it may"
    bare.until(lambda: bare.status().get("state") == "idle", "for the service to answer")
    bare.drop(vocal, name)
    ended = str(bare.until(lambda: told.exists() and told.read_text(), "for the hook")).strip()
    bare.path(ATTACK).unlink()
    bare.finished_once(name)
    return ended


def started_again(bare: Bare) -> None:
    """Stops the service, and starts it when its mounts are gone."""
    bare.systemctl("daemon-reload")
    bare.systemctl("stop", "backline")
    gone = lambda: bare.shown("ActiveState", unit="backline-noexec")["ActiveState"] in ("inactive", "failed")  # noqa: E731
    bare.until(gone, "for the mounts to end with the service")
    bare.systemctl("start", "backline")


def test_the_installer_says_what_is_missing(bare: Bare, bundles: Bundles, host: Host) -> None:
    said[host.name] = bare.installed(bundles.derived(VERSION))
    bare.set_up()
    for line in isolation(bare)["lines"]:
        assert f"This computer lacks {line}" in said[host.name]


def test_doctor_names_exactly_what_systemd_ignores(bare: Bare) -> None:
    unknown = set()
    for unit in ("backline.service", "backline-recover.service"):
        done = bare.machine.tried("systemd-analyze", "verify", f"/etc/systemd/system/{unit}")
        unknown |= set(re.findall(r"Unknown (?:key name|lvalue) '(\w+)'", done.stdout + done.stderr))
    measures = isolation(bare)["facts"]["missing"]
    assert {m["name"] for m in measures if m["since"].startswith("systemd ")} == unknown
    print({m["name"]: m["missing"] for m in measures})


def test_nothing_but_what_is_new_is_complained_about(bare: Bare, host: Host) -> None:
    lines = [line for line in bare.log("--boot", "--identifier=systemd").splitlines() if "backline" in line]
    odd = [line for line in lines if re.search(r"[Ii]gnoring|[Ff]ailed|[Uu]nknown", line)]
    assert [line for line in odd if "Unknown key name" not in line and "BPF" not in line] == []
    failed = bare.systemctl("list-units", "--failed", "--plain", "--no-legend", check=False)
    assert "backline" not in failed and "tmpfiles" not in failed


def test_a_script_in_the_inbox_does_not_run(bare: Bare, song: Path, host: Host) -> None:
    hook = f"sh -c '{ATTACK} >{TOLD}.new 2>&1; echo $? >>{TOLD}.new; mv {TOLD}.new {TOLD}'"
    bare.configure(work=WORK, hooks={"done": hook})
    bare.systemctl("reload", "backline")
    told = attacked(bare, song, "first.wav")
    assert told.endswith("126") and "ran" not in told.splitlines(), told
    measures = {m["name"]: m for m in isolation(bare)["facts"]["missing"]}
    if host.systemd >= 248:
        assert "NoExecPaths" not in measures
    else:
        assert measures["NoExecPaths"]["covered"]
        assert COULD_RUN not in "".join(isolation(bare)["lines"])


def test_where_it_could_run_doctor_says_so(bare: Bare, song: Path, host: Host) -> None:
    """The mounts that stand in for NoExecPaths= let programs run; the service works all the same."""
    if host.systemd >= 248:
        assert not bare.path("/etc/systemd/system/backline.service.d/noexec.conf").is_symlink()
        return
    drop_ins = bare.path("/etc/systemd/system/backline-noexec.service.d")
    drop_ins.mkdir()
    base = "/run/backline-noexec"
    lines = f"for f in $FOLDERS; do mkdir -p {base}$f && mount --rbind $f {base}$f; done"
    bare.path("/root/plain.sh").write_text(lines)
    (drop_ins / "fails.conf").write_text("[Service]\nExecStart=\nExecStart=/bin/sh /root/plain.sh\n")
    started_again(bare)
    told = attacked(bare, song, "second.wav")
    assert told.splitlines() == ["ran", "0"]
    check = isolation(bare)
    assert check["status"] == "warn" and COULD_RUN in "".join(check["lines"])
    (drop_ins / "fails.conf").unlink()
    started_again(bare)
    assert attacked(bare, song, "third.wav").endswith("126")
    assert COULD_RUN not in "".join(isolation(bare)["lines"])


def test_nothing_of_it_stays(bare: Bare) -> None:
    bare.backline("release", "uninstall", "--purge", "--yes")
    for place in ("/etc/systemd/system/backline.service.d", "/etc/systemd/system/backline-noexec.service"):
        assert bare.machine.tried("test", "-e", place).returncode == 1, place
    # The fifth field is where something is mounted; the folders of the machine itself stand in later fields.
    mounted = [line.split()[4] for line in bare.machine.run("cat", "/proc/self/mountinfo").splitlines()]
    assert "/" in mounted
    assert [place for place in mounted if "backline" in place] == []
