"""Neither the installation nor the service accesses a network, as a trace of system calls shows.

The machine has an empty network namespace. strace runs outside the machine, where the service cannot notice
it, and records each socket call of the installation and of all that process 1 of the machine starts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.machine.bare import Bare
from support.machine.bundles import Bundles

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

JOBS = int(os.environ.get("BACKLINE_TRACED_JOBS", "20"))
TRACE = ("strace", "-f", "-qq", "-s", "200", "-e", "trace=%network")

_FAMILY = re.compile(r"\b(?:sa_family=|socket\(|socketpair\()(AF_\w+)")
_CALL = re.compile(r"^\d+ +(\w+)\(")


def counted(trace: Path) -> Counter[str]:
    """How often each call named each family of addresses."""
    found: Counter[str] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        call, family = _CALL.match(line), _FAMILY.search(line)
        if call and family:
            found[f"{call[1]} {family[1]}"] += 1
    return found


def local(found: Counter[str]) -> bool:
    """Whether all calls stayed on this computer: Unix sockets, and netlink without a connection."""
    return all(name.endswith((" AF_UNIX", " AF_NETLINK")) for name in found) and not any(
        name.startswith("connect") and not name.endswith(" AF_UNIX") for name in found
    )


@contextmanager
def traced(leader: int, trace: Path) -> Iterator[None]:
    """Traces all that process 1 of a machine starts within the block."""
    with subprocess.Popen([*TRACE, "-o", str(trace), "-p", str(leader)]) as strace:
        while "TracerPid:\t0" in Path(f"/proc/{leader}/status").read_text():
            assert strace.poll() is None, "strace cannot attach to the machine"
            time.sleep(0.01)
        try:
            yield
        finally:
            strace.terminate()
            strace.wait(60)


def test_no_call_reaches_for_a_network(
    bare: Bare, bundles: Bundles, song: Path, demo_vocal: Path, tmp_path: Path
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is missing")
    path = bare.carry(bundles.first())
    installing = [
        *TRACE,
        "--seccomp-bpf",
        "-o",
        str(tmp_path / "install"),
        *bare.machine.inside("sh", path, "--yes"),
    ]
    done = subprocess.run(installing, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = counted(tmp_path / "install")
    print(f"install: {sum(n for name, n in found.items() if 'connect' in name)} connects; {dict(found)}")
    assert found and local(found), found

    bare.set_up()
    with traced(bare.machine.leader, tmp_path / "service"):
        bare.systemctl("restart", "backline")
        bare.works(demo_vocal, "demo.flac")
        for number in range(JOBS - 1):
            bare.drop(song, f"{number}.wav")
            bare.until_quiet()
        assert bare.wrong() == []
        bare.systemctl("stop", "backline")
    found = counted(tmp_path / "service")
    print(
        f"service, from start to stop, {JOBS} jobs: "
        f"{sum(n for name, n in found.items() if 'connect' in name)} connects; {dict(found)}"
    )
    assert found["connect AF_UNIX"] + found["sendto AF_UNIX"] + found["sendmsg AF_UNIX"] > 0, (
        "it tells systemd"
    )
    assert local(found), found
