"""The carriers are reproducible, and the pack file and the Debian package contain what they should."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from support.bundle_stand_in import TIME_S, need, new_key, stand_in

from bundle.carriers.deb import write_deb
from bundle.carriers.run_file import systems, write_run_file
from bundle.contents.pack import write_pack_file
from bundle.errors import BundleError
from bundle.tools.archive import source_time, write_tar_gz
from bundle.tools.signing import signing_key


def test_archive_records_neither_owner_nor_date(tmp_path: Path) -> None:
    texts = []
    for number, names in enumerate((["b/x", "a", "b/run"], ["b/run", "a", "b/x"])):
        tree = tmp_path / str(number) / "tree"
        for name in names:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(name)
            (tree / name).chmod(0o600)
            os.utime(tree / name, (number * 1e6, number * 1e6))
        (tree / "b" / "run").chmod(0o744)
        stream = io.BytesIO()
        write_tar_gz(tree, stream, TIME_S)
        texts.append(stream.getvalue())
    assert texts[0] == texts[1]
    assert texts[0][:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00" + texts[0][8:10], "neither name nor date"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(texts[0]))) as tar:
        entries = tar.getmembers()
    assert [entry.name for entry in entries] == ["tree", "tree/a", "tree/b", "tree/b/run", "tree/b/x"]
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in entries} == {(0, 0, "", TIME_S)}
    assert [oct(entry.mode) for entry in entries] == ["0o755", "0o644", "0o755", "0o755", "0o644"]


def test_archive_holds_no_links(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match="neither a file nor a folder"):
        write_tar_gz(tmp_path / "tree", io.BytesIO(), TIME_S)


def test_date_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12345")
    assert source_time(tmp_path) == 12345
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    with pytest.raises(BundleError, match="SOURCE_DATE_EPOCH"):
        source_time(tmp_path)


def test_the_same_release_twice(tmp_path: Path) -> None:
    """Run file, signature and Debian package are the same bytes when built twice, whatever the file dates."""
    need("minisign", "dpkg-deb")
    key = new_key(tmp_path / "key")
    release = stand_in(tmp_path / "made", key)
    made = []
    for name in ("once", "again"):
        file = write_run_file(release, tmp_path / name, key, TIME_S)
        deb = write_deb(release, file, tmp_path / name, TIME_S)
        made.append([path.read_bytes() for path in (file, file.with_name(file.name + ".minisig"), deb)])
        for path in release.tree.rglob("*"):
            os.utime(path, (1, 1))
        time.sleep(0.01)
    assert made[0] == made[1]
    assert not [path for path in (tmp_path / "once").iterdir() if path.name.startswith(".")]


def test_a_run_file_that_cannot_be_signed_leaves_the_one_before(tmp_path: Path) -> None:
    need("minisign")
    key = new_key(tmp_path / "key")
    release = stand_in(tmp_path / "made", key)
    file = write_run_file(release, tmp_path / "dist", key, TIME_S)
    before = {path.name: path.read_bytes() for path in (tmp_path / "dist").iterdir()}
    (release.tree / "share" / "text").write_bytes(b"other")
    key.secret.write_text("no key")
    with pytest.raises(BundleError, match="minisign failed"):
        write_run_file(release, file.parent, key, TIME_S)
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def test_debian_package(tmp_path: Path) -> None:
    need("minisign", "dpkg-deb")
    key = new_key(tmp_path / "key")
    release = stand_in(tmp_path / "made", key, glibc=(2, 31))
    file = write_run_file(release, tmp_path / "dist", key, TIME_S)
    deb = write_deb(release, file, tmp_path / "dist", TIME_S)

    def told(*arguments: object) -> str:
        return subprocess.run(
            ["dpkg-deb", *map(str, arguments)], check=True, capture_output=True, text=True
        ).stdout

    assert told("--field", deb, "Depends").strip() == "libc6 (>= 2.31)"
    assert told("--field", deb, "Architecture").strip() == "amd64"
    told("--extract", deb, tmp_path / "out")
    inside = tmp_path / "out" / "usr" / "share" / "backline"
    assert sorted(path.name for path in inside.iterdir()) == [file.name, f"{file.name}.minisig"]
    assert (inside / file.name).read_bytes() == file.read_bytes()
    told("--control", deb, tmp_path / "control")
    for script in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", tmp_path / "control" / script], check=True)
        assert os.access(tmp_path / "control" / script, os.X_OK)
    assert f"sh /usr/share/backline/{file.name} --yes" in (tmp_path / "control" / "postinst").read_text()
    # Calls by dpkg that must do nothing.
    for arguments in (["prerm", "upgrade", "2"], ["prerm", "failed-upgrade", "1"], ["postrm", "remove"]):
        subprocess.run(["sh", tmp_path / "control" / arguments[0], *arguments[1:]], check=True)


def test_pack_to_carry(fake_pack: Path, tmp_path: Path) -> None:
    """minisign accepts both signatures, and the archive contains exactly the listed files."""
    need("minisign")
    key = new_key(tmp_path / "key")
    folder = shutil.copytree(fake_pack, tmp_path / "mine")
    facts = json.loads((folder / "pack.json").read_text())
    file = write_pack_file(folder, tmp_path / "dist", key, TIME_S)
    again = write_pack_file(folder, tmp_path / "again", key, TIME_S)
    assert file.read_bytes() == again.read_bytes()
    top = f"{facts['name']}-{facts['version']}"
    assert file.name == f"{top}.backline-pack"
    with tarfile.open(file) as tar:
        assert {entry.type for entry in tar} == {tarfile.REGTYPE, tarfile.DIRTYPE}
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-x", "-f", file, "-C", tmp_path / "out"], check=True)
    inside = {str(p.relative_to(tmp_path / "out" / top)) for p in (tmp_path / "out" / top).rglob("*")}
    assert inside == {"pack.json", "pack.json.minisig", *facts["files"]}
    for signed in (file, tmp_path / "out" / top / "pack.json"):
        verified = subprocess.run(
            ["minisign", "-V", "-H", "-Q", "-P", key.line, "-m", signed], capture_output=True, text=True
        )
        assert verified.stdout.strip() == f"backline pack {facts['name']} {facts['version']}"


def test_a_damaged_pack_is_not_signed(fake_pack: Path, tmp_path: Path) -> None:
    need("minisign")
    folder = shutil.copytree(fake_pack, tmp_path / "mine")
    graph = next(folder.glob("*.bin"))
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(Exception, match=graph.name):
        write_pack_file(folder, tmp_path / "dist", new_key(tmp_path / "key"), TIME_S)
    assert not list((tmp_path / "dist").iterdir())


def test_choice_of_the_signing_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need("minisign")
    ours = new_key(tmp_path / "ours")
    monkeypatch.setenv("BACKLINE_SIGNING_KEY", str(ours.secret))
    found = signing_key(tmp_path / "build")
    assert found.line == ours.public.splitlines()[1]
    own_name = ours.public.splitlines()[0].split()[-1]
    assert found.id == own_name.zfill(16), "minisign omits leading zeros"
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("BACKLINE_SIGNING_KEY", str(tmp_path / "nothing"))
    with pytest.raises(BundleError, match="which is not a file"):
        signing_key(tmp_path / "build")
    monkeypatch.delenv("BACKLINE_SIGNING_KEY")
    test_key = signing_key(tmp_path / "build")
    assert "WARNING" in capsys.readouterr().err
    assert test_key.line == signing_key(tmp_path / "build").line != ours.line


def test_systems_by_their_c_library() -> None:
    assert systems((2, 28)) == "Debian 10, Ubuntu 20.04, RHEL, Rocky or Alma 8, openSUSE Leap 15"
    assert systems((2, 35)) == "Debian 12, Ubuntu 22.04, RHEL, Rocky or Alma 10, openSUSE Leap 16"
    assert systems((2, 36)) == "Debian 12, Ubuntu 24.04, RHEL, Rocky or Alma 10, openSUSE Leap 16"
