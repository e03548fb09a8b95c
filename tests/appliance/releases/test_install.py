"""``release install FILE`` runs nothing of the file before it has verified its signature."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from support.releases.stand_in import ROOT, StandIn
from support.signer import Signer

from appliance.errors import BacklineError, ReleaseError, SignatureError
from appliance.releases.activate import activate
from appliance.releases.install import install_release

RUN = """#!/bin/sh
touch "$BACKLINE_PREFIX/root/was-run"
work=$(mktemp -d "$BACKLINE_PREFIX/staging/run-XXXXXX")
base64 -d <<END | tar -x -f - -C "$work"
{payload}
END
"$work"/backline-*/bin/backline release activate "$work"/backline-* {words}
status=$?
rm -rf "$work"
exit $status
"""


@pytest.fixture
def stick(place: StandIn) -> Path:
    """A USB stick's folder, and an installation of release 1.1."""
    activate(place.staged("1.1"), place.layout, allow_downgrade=False, say=place.say)
    (place.folder / "stick").mkdir()
    return place.folder / "stick"


def run_file(place: StandIn, file: Path, version: str, signer: Signer, words: str = "", **files: str) -> Path:
    """A small ``.run`` file in the format of the build side."""
    tree = place.tree(place.folder / "build" / f"backline-{version}", version, files)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(tree, tree.name)
    file.write_text(RUN.format(payload=base64.encodebytes(stream.getvalue()).decode(), words=words))
    signer.sign(file, f"backline release {version} linux-x86_64")
    return file


def backline(place: StandIn, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a separate process, as an administrator does."""
    command = [sys.executable, "-m", "appliance", *words]
    return subprocess.run(
        command, cwd=ROOT, env=place.environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_signed_release_is_installed(place: StandIn, stick: Path) -> None:
    file = run_file(place, stick / "backline-1.2.run", "1.2", place.signer)
    done = backline(place, "release", "install", str(file))
    assert done.returncode == 0, done.stderr
    assert f"release 1.2, signed by key {place.signer.public.id}" in done.stdout
    assert place.current() == place.running == "1.2" and not place.layout.staging.exists()
    listed = backline(place, "release", "list").stdout.split()
    assert listed == ["1.1", "previous", "1.2", "current"]


@pytest.mark.slow
def test_one_that_does_not_work_is_told_and_gone(place: StandIn, stick: Path) -> None:
    broken = {"fails-restart": ""}
    file = run_file(place, stick / "backline-1.2.run", "1.2", place.signer, **broken)
    done = backline(place, "release", "install", str(file))
    assert (
        done.returncode == 1 and "Release 1.2 does not work on this computer; 1.1 runs again" in done.stderr
    )
    assert place.current() == place.running == "1.1" and not place.layout.staging.exists()


def refused(place: StandIn, file: Path, said: str, kind: type[BacklineError] = SignatureError) -> None:
    with pytest.raises(kind, match=said):
        install_release(file, place.layout, allow_downgrade=False, say=place.say)
    assert not (place.layout.root / "was-run").exists()
    assert place.current() == "1.1" and not place.layout.staging.exists()


def test_nothing_is_run_that_no_trusted_key_vouches_for(place: StandIn, stick: Path) -> None:
    file = run_file(place, stick / "backline-1.2.run", "1.2", Signer(2))
    refused(place, file, f"signed by key {Signer(2).public.id}")
    place.signer.sign(file, "backline release 1.2 linux-x86_64")
    whole = file.read_bytes()
    for at in (0, 20, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        refused(place, file, "altered after")
    for size in (0, 1, len(whole) - 1):
        file.write_bytes(whole[:size])
        refused(place, file, "altered after")
    file.write_bytes(whole)
    for comment in (
        "backline release 1.2 linux-arm64",
        "backline pack fake 1.2",
        "backline release 1.2-x linux-x86_64",
    ):
        place.signer.sign(file, comment)
        refused(place, file, "which is not a release", ReleaseError)
    place.signer.sign(file, "backline release 1.0 linux-x86_64")
    refused(place, file, r"1\.0 is older than 1\.1", ReleaseError)
    (stick / "backline-1.2.run.minisig").unlink()
    refused(place, file, "no such file", ReleaseError)
    refused(place, stick / "nothing.run", "no such file", ReleaseError)
    os.mkfifo(stick / "pipe.run")
    place.signer.sign(run_file(place, stick / "x.run", "1.2", place.signer), "x").rename(
        stick / "pipe.run.minisig"
    )
    refused(place, stick / "pipe.run", "not a plain file")


@pytest.mark.slow
def test_an_older_one_that_is_meant(place: StandIn, stick: Path) -> None:
    file = run_file(place, stick / "backline-1.0.run", "1.0", place.signer, "--allow-downgrade")
    done = backline(place, "release", "install", "--allow-downgrade", str(file))
    assert done.returncode == 0 and place.current() == "1.0", done.stderr
