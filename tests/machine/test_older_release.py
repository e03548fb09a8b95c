"""An upgrade from a release built from an older commit: the new release reads all that the older one left.

``BACKLINE_OLD_BUNDLE=FILE.run`` names another older bundle than that of :mod:`support.machine.older`.
The older release needs the C library of Debian 12, so there is no other host for these tests.
The tests depend on each other, in this order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.fake_pack import build_earlier_pack
from support.machine.bare import WORK, Bare
from support.machine.bundles import FIRST, Bundles
from support.machine.hosts import HOSTS, Host
from support.machine.older import older_bundle

pytestmark = [pytest.mark.privileged, pytest.mark.slow]

INBOX = "/srv/backline/inbox"
STYLE = "strings"
"""In the settings; another one than without."""

WISHES = 'style = "piano"\nkey = "D major"\nbpm = 92.0\nchords = "wished.txt"\ntakes = 2\nseed = 7\n'
"""Every key that a sidecar knows but ``sound``, which the pack must offer."""

CHART = "0.0 0.8 D\n0.8 1.5 Bm\n"


@dataclass(frozen=True)
class Left:
    """What the older release left behind."""

    release: str
    history: list[dict[str, Any]]
    files: str
    """Hash and path of each."""


left: list[Left] = []
"""Written by the first test, read by the following ones."""


@pytest.fixture(scope="module", params=[host for host in HOSTS if host.runs_older_releases], ids=str)
def host(request: pytest.FixtureRequest) -> Host:
    """In the place of the fixture for all hosts."""
    found: Host = request.param
    return found


@pytest.fixture(scope="module")
def older(machines: None, root: Path) -> Path:
    return older_bundle(root)


def write(bare: Bare, name: str, text: str) -> None:
    """The singer writes a file beside a vocal."""
    bare.machine.run(
        "sh", "-c", 'umask 002 && printf %s "$2" >"$1"', "sh", f"{INBOX}/{name}", text, user="singer"
    )


def render(bare: Bare, vocal: Path, name: str) -> None:
    """The service renders a vocal. Asks nothing of the log: another release may say it in other words."""
    bare.until(lambda: bare.status().get("state") == "idle", "for the service to answer")
    bare.drop(vocal, name)
    bare.until(lambda: bare.path(f"/srv/backline/archive/{name}").exists(), f"for {name} to be archived")
    bare.until_quiet()
    assert bare.wrong() == []


def history(bare: Bare) -> list[dict[str, Any]]:
    """The last vocals as the release in use tells them, newest first.

    Without the jobs that a change of pack replaced by others before they were begun.
    """
    told = [json.loads(line) for line in bare.backline("history", "--json").splitlines()]
    return [job for job in told if job["state"] in ("done", "rejected")]


def files(bare: Bare) -> str:
    """Hash and path of every result, vocal and setting."""
    return bare.machine.run(
        "sh", "-c", "find /srv/backline /etc/backline -type f ! -name .backline -exec sha256sum {} + | sort"
    )


def wished(bare: Bare, name: str) -> list[dict[str, Any]]:
    """What the singer asked for in :data:`WISHES`, as the receipt of each take of a result says it."""
    receipts = sorted(bare.path(f"/srv/backline/outbox/{name}").glob("*.receipt.json"))
    told = [json.loads(file.read_text()) for file in receipts]
    return [
        {fact: each[fact] for fact in ("style", "seed", "key", "tempo", "takes", "pack")} for each in told
    ]


def test_the_older_release_works_and_leaves_a_job_to_do(
    bare: Bare, bundles: Bundles, older: Path, demo_vocal: Path, song: Path, tmp_path: Path
) -> None:
    bare.installed(older)
    release = bare.release
    assert release != FIRST
    bare.machine.run("useradd", "--create-home", "--groups", "backline", "singer")
    bare.configure(work={**WORK, "style": STYLE})
    bare.systemctl("reload", "backline")
    render(bare, demo_vocal, "reference.flac")
    assert bare.receipt("reference.flac")["style"] == STYLE
    # A pack of another maker, as an administrator brings it in; the older release knows eight styles.
    trio = build_earlier_pack(tmp_path / "trio")
    key = tmp_path / "maker.pub"
    key.write_text(bundles.key.public)
    bare.backline("keys", "add", bare.carry(key))
    bare.backline("pack", "install", bare.carry(bundles.pack(trio, "trio", "1.0")))
    bare.backline("pack", "use", "trio")
    render(bare, song, "plain.wav")
    assert bare.receipt("plain.wav")["pack"]["name"] == "trio"
    write(bare, "wished.txt", CHART)
    write(bare, "wished.toml", WISHES)
    render(bare, song, "wished.wav")
    print(wished(bare, "wished"))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF" + bytes(2000))
    bare.drop(broken, "broken.wav")
    bare.until(lambda: bare.status()["counts"].get("rejected"), "for a file to be rejected")
    bare.until_quiet()
    bare.backline("pause", "--reason", "upgrade")
    write(bare, "waiting.txt", CHART)
    write(bare, "waiting.toml", WISHES.replace("wished", "waiting"))
    bare.drop(song, "waiting.wav")
    bare.until(lambda: bare.status()["counts"].get("waiting"), "for a vocal to be queued")
    left.append(Left(release, history(bare), files(bare)))
    assert [job["vocal"] for job in left[0].history] == [
        "broken.wav",
        "wished.wav",
        "plain.wav",
        "reference.flac",
    ]


def test_the_new_release_reads_all_of_it(bare: Bare, bundles: Bundles) -> None:
    (before,) = left
    print(bare.installed(bundles.first()))
    assert bare.release == FIRST and bare.link("previous") == f"releases/{before.release}"
    assert bare.leftovers() == []
    assert files(bare) == before.files
    told = history(bare)
    assert [
        {name: job[name] for name in old} for job, old in zip(told, before.history, strict=True)
    ] == before.history
    status = bare.until(bare.status, "for an answer")
    assert status["counts"]["done"] == 3 and status["counts"]["rejected"] == 1
    assert status["counts"]["waiting"] == 1 and "upgrade" in status["paused"]
    assert status["pack"]["name"] == "trio"
    bare.backline("config", "--check")
    bare.backline("pack", "verify")


def test_what_was_queued_is_rendered_as_its_sidecar_says(bare: Bare) -> None:
    bare.backline("resume")
    bare.until_quiet()
    assert bare.wrong() == []
    old, new = wished(bare, "wished"), wished(bare, "waiting")
    assert len(new) == 2
    for before, after in zip(old, new, strict=True):  # a later release may say more about the tempo
        after["tempo"] = {name: after["tempo"][name] for name in before["tempo"]}
    assert new == old
    # Not the bytes: a later release may understand and accompany the same vocal otherwise.
    assert len(list(bare.path("/srv/backline/outbox/waiting").rglob("*.mid"))) == 2


def test_the_same_vocal_once_more_is_the_same_job(bare: Bare, song: Path) -> None:
    """The journal knows a job by its content, pack and settings, as the older release wrote them."""
    (before,) = left
    old = next(job for job in before.history if job["vocal"] == "plain.wav")
    bare.machine.run("rm", "/srv/backline/archive/plain.wav")
    render(bare, song, "plain.wav")
    assert bare.receipt("plain.wav")["style"] == STYLE
    (again,) = [job for job in history(bare) if job["vocal"] == "plain.wav"]
    assert (again["job"], again["key"]) == (old["job"], old["key"])
    assert again["finished_s"] > old["finished_s"]


def test_the_new_release_renders(bare: Bare, demo_vocal: Path) -> None:
    bare.backline("pack", "use", "reference")
    render(bare, demo_vocal, "new.flac")
    receipt = bare.receipt("new.flac")
    assert receipt["pack"]["name"] == "reference" and receipt["style"] == STYLE


def test_the_older_release_takes_over_again(bare: Bare, bundles: Bundles, song: Path) -> None:
    (before,) = left
    bare.backline("release", "rollback")
    assert bare.release == before.release and bare.link("previous") == f"releases/{FIRST}"
    assert {"new.flac", "waiting.wav", "reference.flac"} <= {job["vocal"] for job in history(bare)}
    render(bare, song, "rolled-back.wav")
    bare.installed(bundles.first())
    assert bare.release == FIRST
    render(bare, song, "upgraded-again.wav")
