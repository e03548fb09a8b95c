"""Packs are installed, selected, rolled back and removed, each atomically."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.fake_pack import write_fake_manifest
from support.releases.pack_files import carried, contents, tar_of, versioned
from support.releases.stand_in import StandIn

from appliance.cli.main import cli
from appliance.errors import BacklineError, PackError
from appliance.files.durable import set_link
from appliance.packs.pack import load_pack
from appliance.releases.packs import installed as packs
from appliance.releases.packs.installed import (
    active_pack,
    install,
    pack_folders,
    previous_pack,
    remove,
    rollback,
    use,
)


@pytest.fixture
def shelf(place: StandIn, fake_pack: Path) -> StandIn:
    """An installation whose release has the pack ``fake`` 1, which is selected."""
    layout = place.layout
    release = versioned(fake_pack, layout.release("1.0") / "packs/reference", "1", place.signer)
    assert release.is_dir()
    (layout.release("1.0") / "release.json").write_text("{}")
    layout.packs.mkdir()
    set_link(layout.current, "releases/1.0")
    set_link(layout.packs / "reference", "../current/packs/reference")
    set_link(layout.active_pack, "reference")
    place.signer.trusted_in(layout.keys)
    return place


def command(*words: str) -> Any:
    return CliRunner().invoke(cli, ["pack", *words])


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_file_becomes_a_pack(shelf: StandIn, fake_pack: Path, form: int) -> None:
    folder = versioned(fake_pack, shelf.folder / "mine", "2.0", shelf.signer)
    file = carried(folder, shelf.folder / "fake.backline-pack", shelf.signer, "2.0")
    file.write_bytes(tar_of(contents(folder), "fake-2.0", form=form))
    shelf.signer.sign(file, "backline pack fake 2.0")
    assert install(shelf.layout, file, allow_downgrade=False) == "fake-2.0"
    assert contents(shelf.layout.packs / "fake-2.0") == contents(folder)
    assert (
        pack_folders(shelf.layout) == ["reference", "fake-2.0"] and active_pack(shelf.layout) == "reference"
    )
    assert not shelf.layout.staging.exists()
    modes = {oct(path.stat().st_mode & 0o777) for path in (shelf.layout.packs / "fake-2.0").iterdir()}
    assert modes == {"0o644"}, "the service is not root"
    assert install(shelf.layout, file, allow_downgrade=False) == "fake-2.0", "twice is once"


def test_the_commands_in_their_order(
    shelf: StandIn, fake_pack: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("BACKLINE_CONFIG", str(tmp_path / "backline.toml"))
    (tmp_path / "state").mkdir()
    lines = [f'[folders]\nstate = "{tmp_path}/state"\n[work]\npack = "{shelf.layout.active_pack}"\n']
    (tmp_path / "backline.toml").write_text(lines[0])
    for version in ("1.9", "1.10"):
        folder = versioned(fake_pack, tmp_path / f"from-{version}", version, shelf.signer)
        done = command("install", str(folder))
        assert done.exit_code == 0 and f"fake-{version} is installed" in done.output, done.output
    done = command("use", "fake")
    assert done.exit_code == 0 and done.output == "The service uses fake 1.10 from the next vocal on.\n"
    assert active_pack(shelf.layout) == "fake-1.10" and previous_pack(shelf.layout) == "reference"
    assert command("use", "fake-1.9").exit_code == 0 and previous_pack(shelf.layout) == "fake-1.10"
    listed = command("list").output.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["fake-1.9", "active"], ["fake-1.10", "previous"]]
    assert all(f"signed by key {shelf.signer.public.id}" in line for line in listed)
    assert command("rollback").exit_code == 0 and active_pack(shelf.layout) == "fake-1.10"
    assert command("rollback").exit_code == 0 and active_pack(shelf.layout) == "fake-1.9"
    verified = command("verify")
    assert verified.exit_code == 0 and verified.output.count("is intact") == 3
    with pytest.raises(PackError, match="the service uses it"):
        remove(shelf.layout, "fake-1.9", None)
    sha256 = load_pack(shelf.layout.packs / "fake-1.10").sha256
    with pytest.raises(PackError, match="has it loaded"):
        remove(shelf.layout, "fake-1.10", sha256)
    assert command("remove", "fake-1.10").exit_code == 0
    assert pack_folders(shelf.layout) == ["reference", "fake-1.9"] and previous_pack(shelf.layout) is None
    with pytest.raises(PackError, match="no pack of this name was installed"):
        remove(shelf.layout, "reference", None)
    (tmp_path / "backline.toml").write_text(lines[0].replace("packs/active", "packs/mine"))
    assert "the settings name another pack" in command("use", "reference").output


def test_credits_are_listed(shelf: StandIn, fake_pack: Path, tmp_path: Path) -> None:
    credited = Path(shutil.copytree(fake_pack, tmp_path / "credited"))
    (credited / "credits.txt").write_text("© NIFC, CC BY 4.0\n\n© \x1b[31mDrummers\n", encoding="utf-8")
    write_fake_manifest(credited)
    folder = versioned(credited, tmp_path / "signed", "2", shelf.signer)
    assert command("install", str(folder)).exit_code == 0
    assert "NIFC" not in command("list").output
    lines = command("list", "--credits").output.splitlines()
    assert lines[1] == "  trained on data that ask for no credit"  # a pack from before there were credits
    assert lines[3:] == ["  © NIFC, CC BY 4.0", "  © [31mDrummers"]
    installed = shelf.layout.packs / "fake-2" / "credits.txt"
    installed.write_bytes(b"x" * installed.stat().st_size)
    listed = command("list", "--credits").output
    assert "credits.txt" in listed and "xxx" not in listed, "an altered file is not shown"


def test_older_ones_are_refused_unless_meant(shelf: StandIn, fake_pack: Path, tmp_path: Path) -> None:
    old = versioned(fake_pack, tmp_path / "old", "0.9", shelf.signer)
    with pytest.raises(PackError, match=r"fake 0\.9 is older than 1.*--allow-downgrade"):
        install(shelf.layout, old, allow_downgrade=False)
    assert install(shelf.layout, old, allow_downgrade=True) == "fake-0.9"
    other = versioned(fake_pack, tmp_path / "other", "0.1", shelf.signer, name="other")
    assert install(shelf.layout, other, allow_downgrade=False) == "other-0.1", "a name of its own"


def test_another_pack_of_the_same_version(shelf: StandIn, fake_pack: Path, tmp_path: Path) -> None:
    install(shelf.layout, versioned(fake_pack, tmp_path / "a", "2", shelf.signer), allow_downgrade=False)
    again = versioned(fake_pack, tmp_path / "b", "2", shelf.signer)
    text = json.loads((again / "pack.json").read_text())
    (again / "pack.json").write_text(json.dumps({**text, "licence": "another"}))
    shelf.signer.sign_pack(again)
    with pytest.raises(PackError, match="another pack of this name and version"):
        install(shelf.layout, again, allow_downgrade=False)


def test_no_pack_that_was_altered_is_used(shelf: StandIn, fake_pack: Path, tmp_path: Path) -> None:
    install(shelf.layout, versioned(fake_pack, tmp_path / "a", "2", shelf.signer), allow_downgrade=False)
    (shelf.layout.packs / "fake-2" / "denoiser.bin").write_bytes(b"")
    with pytest.raises(PackError, match=r"denoiser\.bin: altered"):
        use(shelf.layout, "fake")
    assert active_pack(shelf.layout) == "reference"
    assert command("verify").exit_code != 0
    with pytest.raises(PackError, match="no previous pack"):
        rollback(shelf.layout)


def test_a_key_that_is_trusted_no_more(shelf: StandIn, fake_pack: Path, tmp_path: Path) -> None:
    from support.signer import Signer

    (tmp_path / "other.pub").write_text(Signer(2).public.text())
    runner = CliRunner()
    assert runner.invoke(cli, ["keys", "remove", shelf.signer.public.id]).exception is not None, (
        "the only one"
    )
    assert runner.invoke(cli, ["keys", "add", str(tmp_path / "other.pub")]).exit_code == 0
    assert runner.invoke(cli, ["keys", "list"]).output.count(str(shelf.layout.keys)) == 2
    assert runner.invoke(cli, ["keys", "remove", shelf.signer.public.id.lower()]).exit_code == 0
    with pytest.raises(PackError, match=f"signed by key {shelf.signer.public.id}"):
        use(shelf.layout, "reference")


def test_a_full_disk(shelf: StandIn, fake_pack: Path, tmp_path: Path, monkeypatch: Any) -> None:
    file = carried(versioned(fake_pack, tmp_path / "a", "2", shelf.signer), tmp_path / "p", shelf.signer, "2")
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BacklineError, match="are needed and 1 MB are free"):
        install(shelf.layout, file, allow_downgrade=False)
    assert not shelf.layout.staging.exists() and packs.pack_folders(shelf.layout) == ["reference"]
