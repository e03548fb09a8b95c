"""Folders inside each other, by name, link or mount: refused at check, start and reload, never entered."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.watch.intake_bench import PATIENCE_S, Bench
from support.watch.service import Service

from appliance.cli.main import cli
from appliance.errors import UsageError
from appliance.watch.disk.folders import WORK
from appliance.watch.service.daemon import watch
from appliance.watch.settings.apart import WORK_NAME, _mounts, overlaps
from appliance.watch.settings.check import folder_overlaps
from appliance.watch.settings.config import Config, Folders
from appliance.watch.settings.text import config_text

NAMES = tuple(Folders.model_fields)


def folders(root: Path) -> Folders:
    return Folders.model_validate({name: str(root / name) for name in NAMES})


def laid(root: Path, *links: str) -> None:
    """All five folders but those of ``links``, which the test makes itself."""
    for name in NAMES:
        if name not in links:
            (root / name).mkdir()


def told(found: list[str], one: str, other: str) -> None:
    """One sentence, and it names both with their paths."""
    assert len(found) == 1, found
    assert f"folders.{one} (" in found[0] and f"folders.{other} (" in found[0]


def test_folders_that_are_apart(tmp_path: Path) -> None:
    laid(tmp_path)
    assert overlaps(folders(tmp_path)) == []


def test_a_link_to_a_folder_elsewhere_is_fine(tmp_path: Path) -> None:
    laid(tmp_path, "outbox")
    (tmp_path / "disk" / "results").mkdir(parents=True)
    (tmp_path / "outbox").symlink_to(tmp_path / "disk" / "results")
    assert overlaps(folders(tmp_path)) == []


@pytest.mark.parametrize(("inner", "outer"), list(permutations(NAMES, 2)))
def test_a_link_into_another_folder(tmp_path: Path, inner: str, outer: str) -> None:
    laid(tmp_path, inner)
    (tmp_path / outer / "deep" / "results").mkdir(parents=True)
    (tmp_path / inner).symlink_to(tmp_path / outer / "deep" / "results")
    found = overlaps(folders(tmp_path))
    told(found, inner, outer)
    assert "lies inside" in found[0] and str(tmp_path / outer / "deep" / "results") in found[0]


@pytest.mark.parametrize(("one", "other"), list(combinations(NAMES, 2)))
def test_a_link_to_the_same_folder(tmp_path: Path, one: str, other: str) -> None:
    laid(tmp_path, one)
    (tmp_path / one).symlink_to(tmp_path / other)
    found = overlaps(folders(tmp_path))
    told(found, one, other)
    assert "are the same folder" in found[0]


def test_a_link_above_both_folders_and_one_that_is_not_there_yet(tmp_path: Path) -> None:
    laid(tmp_path, "outbox")
    (tmp_path / "way").symlink_to(tmp_path / "inbox")
    given = folders(tmp_path).model_dump(mode="json") | {"outbox": str(tmp_path / "way" / "results")}
    told(overlaps(Folders.model_validate(given)), "outbox", "inbox")


def test_links_in_a_circle_are_no_folder_and_end_nothing(tmp_path: Path) -> None:
    laid(tmp_path, "outbox")
    (tmp_path / "outbox").symlink_to(tmp_path / "outbox")
    assert overlaps(folders(tmp_path)) == []


def test_a_work_folder_that_is_a_link(tmp_path: Path) -> None:
    laid(tmp_path)
    (tmp_path / "outbox" / WORK_NAME).symlink_to(tmp_path / "inbox")
    (said,) = overlaps(folders(tmp_path))
    assert str(tmp_path / "outbox" / WORK_NAME) in said and "is a link" in said


def test_the_work_folder_is_the_one_that_is_used() -> None:
    assert os.fsencode(WORK_NAME) == WORK


def test_pack_and_metrics_lie_outside_of_the_inbox(watched: Config, tmp_path: Path) -> None:
    (tmp_path / "inbox" / "pack").mkdir()
    given = watched.model_dump(mode="json")
    given["work"]["pack"] = str(tmp_path / "inbox" / "pack")
    given["metrics"]["textfile"] = str(tmp_path / "inbox" / "backline.prom")
    found = folder_overlaps(Config.model_validate(given))
    assert [said.split(" (")[0] for said in found] == ["work.pack", "metrics.textfile"]


# Bind mounts: the real paths differ and so do all folders above.


BOUND = [("outbox", "inbox"), ("inbox", "archive"), ("state", "rejected")]


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Any]:
    points: list[Path] = []

    def bind(source: Path, point: Path) -> None:
        point.mkdir(exist_ok=True)
        if os.geteuid() != 0 or subprocess.run(["mount", "--bind", source, point], check=False).returncode:
            pytest.skip("only root can bind a folder here")
        points.append(point)

    yield bind
    for point in reversed(points):
        subprocess.run(["umount", "-l", point], check=True)


@pytest.mark.privileged
@pytest.mark.parametrize(("inner", "outer"), BOUND)
def test_a_bind_mount_of_a_folder_inside_another(bound: Any, tmp_path: Path, inner: str, outer: str) -> None:
    laid(tmp_path)
    (tmp_path / outer / "a b" / "results").mkdir(parents=True)
    bound(tmp_path / outer / "a b" / "results", tmp_path / inner)
    found = overlaps(folders(tmp_path))
    told(found, inner, outer)
    assert "lies inside" in found[0]


@pytest.mark.privileged
def test_a_bind_mount_of_the_same_folder_and_one_of_the_work_folder(bound: Any, tmp_path: Path) -> None:
    laid(tmp_path)
    bound(tmp_path / "inbox", tmp_path / "outbox")
    told(overlaps(folders(tmp_path)), "inbox", "outbox")
    (tmp_path / "archive" / WORK_NAME).mkdir()
    bound(tmp_path / "state", tmp_path / "archive" / WORK_NAME)
    assert any("work folder of folders.archive" in said for said in overlaps(folders(tmp_path)))


@pytest.mark.privileged
def test_a_bind_mount_of_a_folder_elsewhere_is_fine(bound: Any, tmp_path: Path) -> None:
    laid(tmp_path)
    (tmp_path / "disk" / "inbox").mkdir(parents=True)
    bound(tmp_path / "disk" / "inbox", tmp_path / "outbox")
    assert overlaps(folders(tmp_path)) == []


def test_shares_that_are_mounted_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        b"21 1 0:50 / /in rw - nfs4 nas:/music/in rw\n"
        b"22 1 0:51 / /out rw - nfs4 nas:/music/in/out\\040put rw\n"
        b"23 1 0:52 /sub /smb rw - cifs //nas/share rw\n"
    )
    monkeypatch.setattr(Path, "read_bytes", lambda self: lines)
    found = {number: (mount.device, str(mount.root)) for number, mount in _mounts().items()}
    assert found["21"] == ("nas", "/music/in") and found["22"] == ("nas", "/music/in/out put")
    assert found["23"] == ("//", "/nas/share/sub")


# What is done about it.


@pytest.fixture
def nested(watched: Config, tmp_path: Path) -> Path:
    """A settings file whose outbox is a link into the inbox."""
    (tmp_path / "inbox" / "results").mkdir()
    (tmp_path / "outbox").rmdir()
    (tmp_path / "outbox").symlink_to(tmp_path / "inbox" / "results")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "pack.json").touch()
    text = config_text(watched).replace("/opt/backline/packs/active", str(tmp_path / "pack"))
    (tmp_path / "backline.toml").write_text(text)
    return tmp_path / "backline.toml"


def test_the_check_refuses_it(nested: Path) -> None:
    checked = CliRunner().invoke(cli, ["config", "--check", "--config", str(nested)])
    assert checked.exit_code == 1 and "lies inside folders.inbox" in checked.output


def test_the_service_does_not_start(nested: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"folders\.outbox .* lies inside folders\.inbox"):
        watch(nested)
    assert not list((tmp_path / "state").iterdir()) and not list((tmp_path / "inbox" / "results").iterdir())


@pytest.mark.service
def test_a_reload_is_refused_and_the_work_pauses(fake_pack: Path, tmp_path: Path) -> None:
    with Service(tmp_path / "root", fake_pack) as service:
        service.start()
        service.until(lambda: service.status().get("state") == "idle")
        outbox, inside = service.root / "outbox", service.root / "inbox" / "results"
        outbox.rename(inside)  # the very same folder, in another place
        outbox.symlink_to(inside)
        service.until(lambda: "lies inside folders.inbox" in (service.status()["paused"] or ""))
        service.send(signal.SIGHUP)
        service.until(
            lambda: (
                "The settings stay as they were: folders.inbox" in service.log
                or "The settings stay as they were: folders.outbox" in service.log
            )
        )
        outbox.unlink()
        inside.rename(outbox)
        service.until(lambda: service.status()["state"] == "idle")
        assert service.stop() == 0


def test_no_scan_enters_a_folder_of_the_service(watched: Config, tmp_path: Path) -> None:
    """However it got into the inbox after the start: it is not taken for vocals, and is named."""
    bench = Bench(watched)
    bench.put("song.wav", b"one")
    bench.run(20.0)
    outbox = tmp_path / "outbox"
    (outbox / "song").mkdir()
    (outbox / "song" / "song.mix.wav").write_bytes(b"mix")
    outbox.rename(tmp_path / "inbox" / "results")
    outbox.symlink_to(tmp_path / "inbox" / "results")
    bench.run(PATIENCE_S)
    assert bench.queue() == ["song.wav"]
    (trouble,) = bench.intake.last_scan.troubles  # type: ignore[union-attr]
    assert trouble.path == b"results/"
