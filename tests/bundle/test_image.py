"""The container image: complete, consistent and reproducible, as its format demands; no engine runs here."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.bundle_stand_in import TIME_S, need, new_key, stand_in

from appliance.releases.folders import listed
from bundle.carriers.image import base
from bundle.carriers.image.write import write_image
from bundle.errors import BundleError
from bundle.release import Release
from bundle.tools.elf import elf_files, read_elf


@dataclass(frozen=True)
class Image:
    """An image, read without our code."""

    release: Release
    file: Path

    @property
    def files(self) -> dict[str, bytes]:
        with tarfile.open(self.file) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]

    def facts(self, name: str) -> Any:
        return json.loads(self.files[name])

    def blob(self, descriptor: dict[str, Any]) -> bytes:
        """What a descriptor points to; checked against its digest and size."""
        kind, _, digest = descriptor["digest"].partition(":")
        data = self.files[f"blobs/{kind}/{digest}"]
        assert kind == "sha256" and hashlib.sha256(data).hexdigest() == digest
        assert len(data) == descriptor["size"]
        return data

    @property
    def manifest(self) -> Any:
        (described,) = self.facts("index.json")["manifests"]
        return json.loads(self.blob(described))

    @property
    def config(self) -> Any:
        return json.loads(self.blob(self.manifest["config"]))

    @property
    def layers(self) -> list[bytes]:
        """Each layer as a tar."""
        return [gzip.decompress(self.blob(layer)) for layer in self.manifest["layers"]]

    @property
    def entries(self) -> dict[str, tarfile.TarInfo]:
        """All that a container sees, by path."""
        found = {}
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                found |= {entry.name: entry for entry in tar}
        return found

    def content(self, name: str) -> bytes:
        for layer in reversed(self.layers):
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                if name in tar.getnames():
                    return tar.extractfile(name).read()  # type: ignore[union-attr]
        raise KeyError(name)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    need("minisign", "dpkg-deb")
    folder = tmp_path_factory.mktemp("image")
    release = stand_in(folder, new_key(folder / "key"))
    return Image(release, write_image(release, folder / "dist", TIME_S))


def test_the_same_release_gives_the_same_bytes(image: Image, tmp_path: Path) -> None:
    again = write_image(image.release, tmp_path / "dist", TIME_S)
    assert again.read_bytes() == image.file.read_bytes()
    assert [path.name for path in again.parent.iterdir()] == [image.file.name]


def test_layout_and_digests(image: Image) -> None:
    assert image.facts("oci-layout") == {"imageLayoutVersion": "1.0.0"}
    assert image.manifest["schemaVersion"] == 2
    assert image.manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in image.layers]
    assert image.config["rootfs"] == {"type": "layers", "diff_ids": digests}
    assert len(image.config["history"]) == len(digests) == 2


def test_what_docker_load_reads_agrees(image: Image) -> None:
    (listed_image,) = image.facts("manifest.json")
    assert listed_image["RepoTags"] == ["backline:1.2.0"]
    assert json.loads(image.files[listed_image["Config"]]) == image.config
    digests = [layer["digest"].removeprefix("sha256:") for layer in image.manifest["layers"]]
    assert listed_image["Layers"] == [f"blobs/sha256/{digest}" for digest in digests]


def test_it_runs_the_service_as_an_ordinary_user(image: Image) -> None:
    config = image.config["config"]
    assert (config["Entrypoint"], config["Cmd"]) == (["/usr/bin/backline"], ["watch"])
    user = int(config["User"].split(":")[0])
    assert user != 0 and f":{user}:{user}:".encode() in image.content("etc/passwd")
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/backline", "status"]
    for volume in config["Volumes"]:
        assert volume.lstrip("/") in image.entries
    assert [n for n, entry in image.entries.items() if entry.isfile() and entry.mode & 0o6000] == []


def test_folders_are_those_of_the_service(image: Image, root: Path) -> None:
    owners = {"root": 0, "backline": int(image.config["config"]["User"].split(":")[0])}
    for folder in listed(root / "systemd/backline.tmpfiles"):
        entry = image.entries[str(folder.path).lstrip("/")]
        assert entry.isdir() and entry.mode == folder.mode and entry.uid == owners[folder.user]


def test_the_release_is_inside_unchanged(image: Image) -> None:
    tree = image.release.tree
    for path in (path for path in tree.rglob("*") if path.is_file()):
        name = f"opt/backline/{path.relative_to(tree)}"
        assert image.content(name) == path.read_bytes(), name
        assert image.entries[name].mode == (0o755 if path.stat().st_mode & 0o100 else 0o644), name


def test_every_library_that_a_program_names_is_inside(image: Image, tmp_path: Path) -> None:
    inside = {Path(name).name for name in image.entries}
    for file in elf_files(image.release.tree):
        assert set(read_elf(file).needs) <= inside
    loader = image.entries["lib64/ld-linux-x86-64.so.2"]
    assert loader.isfile() and loader.mode == 0o755


def test_papers_of_the_c_library(image: Image) -> None:
    place = "usr/share/backline-image/share"
    bill = json.loads(image.content(f"{place}/sbom.cdx.json"))
    (part,) = bill["components"]
    assert part["name"] == "libc6" and part["licenses"][0]["expression"] == "LGPL-2.1-or-later"
    (texts,) = (each["value"] for each in part["properties"] if each["name"] == "backline:licence_texts")
    assert {
        f"{Path(place).parent}/{texts}/{name}" for name in ("copyright", "LGPL-2.1")
    } <= image.entries.keys()
    assert b"GNU LESSER GENERAL PUBLIC LICENSE" in image.content(f"{Path(place).parent}/{texts}/LGPL-2.1")


def test_an_altered_package_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    altered = tmp_path / base.LIBC.name
    altered.write_bytes(base.LIBC.read_bytes() + b"x")
    monkeypatch.setattr(base, "LIBC", altered)
    with pytest.raises(BundleError, match=r"libc6_.*\.deb was altered; restore it"):
        base.unpacked(tmp_path)
