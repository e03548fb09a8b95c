"""The container image under podman: read-only, without a network or privileges, its folders from outside.

The tests depend on each other, in this order.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.machine.bundles import Bundles
from support.machine.studio import PATIENCE_S
from support.watch.invariants import results

from bundle.carriers.image.base import USER_ID
from bundle.carriers.image.write import write_image
from bundle.release import Release
from bundle.tools import archive

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

VERSION = "5.0"
MOST_BYTES = 400_000_000
FOLDERS = ("inbox", "outbox", "archive", "rejected")


@dataclass
class Container:
    """A container, and podman with a store of its own."""

    folder: Path

    @property
    def shared(self) -> Path:
        """/srv/backline, seen from outside."""
        return self.folder / "studio"

    def podman(self, *words: str | Path, check: bool = True) -> str:
        store = ("--root", self.folder / "store", "--runroot", self.folder / "run", "--runtime", "runc")
        command = [str(word) for word in ("podman", *store, *words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert done.returncode == 0 or not check, f"{command}: {done.stderr}{done.stdout}"
        return done.stdout

    def run(self) -> None:
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
        confined = ("--network=none", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")
        # A health check at intervals needs systemd outside, which CI does not have; the test asks for it.
        health = ('--health-cmd=["/usr/bin/backline","status"]', "--health-interval=disable")
        volumes = ("-v", f"{self.shared}:/srv/backline", "-v", "state:/var/lib/backline")
        volumes += ("-v", "cache:/var/cache/backline", "-v", f"{self.folder / 'etc'}:/etc/backline:ro")
        self.podman("run", "--detach", "--name=band", *limits, *confined, *health, *volumes, self.image)

    @property
    def image(self) -> str:
        return f"backline:{VERSION}"

    def backline(self, *words: str, check: bool = True) -> str:
        return self.podman("exec", "band", "backline", *words, check=check)

    def until_state(self, wanted: str) -> None:
        give_up_s = time.monotonic() + PATIENCE_S
        while wanted not in (said := self.backline("status", check=False)):
            assert time.monotonic() < give_up_s, said + self.podman("logs", "band", check=False)
            time.sleep(0.3)


@pytest.fixture(scope="module")
def container(machines: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    if missing := [name for name in ("podman", "runc") if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: apt install podman runc)")
    made = Container(tmp_path_factory.mktemp("container"))
    for name in FOLDERS:
        (made.shared / name).mkdir(parents=True)
        os.chown(made.shared / name, USER_ID, USER_ID)
    (made.folder / "etc").mkdir()
    (made.folder / "etc/backline.toml").write_text("[intake]\nsettle_s = 0.3\nscan_s = 0.2\n")
    try:
        yield made
    finally:
        made.podman("rm", "--force", "--all", check=False)
        made.podman("rmi", "--force", "--all", check=False)


def test_podman_loads_it(container: Container, bundles: Bundles) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "LEVEL", 1)
        began_s = time.monotonic()
        file = write_image(
            Release(bundles.tree, VERSION, (2, 28), 0), container.folder / "dist", 1_700_000_000
        )
        print(f"image: written in {time.monotonic() - began_s:.0f} s")
    with tarfile.open(file) as tar:
        assert {"oci-layout", "index.json", "manifest.json"} <= set(tar.getnames())
    container.podman("load", "--input", file)
    (facts,) = json.loads(container.podman("image", "inspect", container.image))
    print(f"image: {facts['Size'] / 1e6:.1f} MB unpacked")
    assert facts["Size"] <= MOST_BYTES
    assert facts["Config"]["User"] == f"{USER_ID}:{USER_ID}"


def test_a_vocal_goes_in_and_an_accompaniment_comes_out(container: Container, song: Path) -> None:
    container.run()
    container.until_state("idle")
    shutil.copyfile(song, container.shared / ".song")
    (container.shared / ".song").rename(container.shared / "inbox/song.wav")
    container.until_state("1 done")
    (result,) = results(container.shared / "outbox")
    (receipt,) = result.glob("*.receipt.json")
    facts = json.loads(receipt.read_text())
    assert facts["vocal"]["name"] == "song.wav" and facts["pack"]["name"] == "reference"
    assert all((result / name).is_file() for name in facts["files"])
    assert receipt.stat().st_uid == USER_ID


def test_the_health_check_answers(container: Container) -> None:
    container.podman("healthcheck", "run", "band")
    report = json.loads(container.backline("doctor", "--json"))
    assert report["ok"], report


def test_nothing_else_is_inside_and_nothing_can_be_written(container: Container) -> None:
    script = (
        "import json, os\n"
        "found = {}\n"
        "for place in ('/', '/opt/backline', '/usr/bin', '/etc', '/etc/backline', '/srv/backline/outbox'):\n"
        "    try:\n"
        "        open(f'{place}/new', 'w').close(); os.unlink(f'{place}/new'); found[place] = 'done'\n"
        "    except OSError as error: found[place] = type(error).__name__\n"
        "print(json.dumps([found, sorted(os.listdir('/usr/bin')), os.path.exists('/bin/sh'), os.getuid()]))"
    )
    python = "/opt/backline/python/bin/python3"
    told = json.loads(container.podman("exec", "band", python, "-I", "-c", script))
    found, programs, shell, user = told
    assert found.pop("/srv/backline/outbox") == "done" and "done" not in found.values(), found
    assert (programs, shell, user) == (["backline"], False, USER_ID)


def test_it_stops_and_starts_with_its_journal(container: Container) -> None:
    container.podman("stop", "--time=90", "band")
    (facts,) = json.loads(container.podman("container", "inspect", "band"))
    assert facts["State"]["ExitCode"] == 0, container.podman("logs", "band")
    container.podman("start", "band")
    container.until_state("1 done")
