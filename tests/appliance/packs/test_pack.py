"""Complete, unaltered packs open; any other pack is refused in one sentence that names the bad file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino as ov
import pytest
from support.fake_pack import build_fake_pack, fake_graphs

from appliance.errors import PackError
from appliance.music.roll import Thresholds
from appliance.packs.pack import load_pack


@pytest.fixture
def pack(fake_pack: Path, tmp_path: Path) -> Path:
    """A copy of the fake pack that a test may damage."""
    return Path(shutil.copytree(fake_pack, tmp_path / "pack"))


def rewrite(pack: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the contents of ``pack.json``."""
    facts = json.loads((pack / "pack.json").read_text())
    change(facts)
    (pack / "pack.json").write_text(json.dumps(facts))


def refusal(pack: Path, verify: bool = True) -> str:
    with pytest.raises(PackError) as caught:
        load_pack(pack, verify)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert not text.startswith("Value error")
    return text


def test_a_whole_pack_opens(fake_pack: Path) -> None:
    opened = load_pack(fake_pack)
    assert opened.folder == fake_pack
    assert opened.sha256 == hashlib.sha256((fake_pack / "pack.json").read_bytes()).hexdigest()
    assert opened.soundfont_path.read_bytes()[:4] == b"RIFF"
    assert opened.manifest.thresholds.for_roll() == Thresholds()
    assert opened.manifest.sampler.window_frames == 64
    assert opened.manifest.sounds["jazz"]["bass"].name == "Acoustic bass"
    core = ov.Core()
    for name in fake_graphs():
        assert core.read_model(opened.graph_path(name)).inputs
    with pytest.raises(PackError, match="no graph audio_encoder"):
        opened.graph_path("audio_encoder")


def test_the_same_pack_has_the_same_bytes(fake_pack: Path, tmp_path: Path) -> None:
    again = build_fake_pack(tmp_path / "again")
    assert load_pack(again).sha256 == load_pack(fake_pack).sha256


def test_no_pack_there(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    assert "this is a file" in refusal(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert "no pack.json" in refusal(tmp_path / "empty")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", '{"schema": 1,}'])
def test_a_manifest_that_is_not_json(pack: Path, text: str) -> None:
    (pack / "pack.json").write_text(text)
    assert "pack.json: not JSON" in refusal(pack)


@pytest.mark.parametrize(("text", "said"), [("{}", "no schema version"), ("[1]", "no schema version"),
                                            ('{"schema": 2}', "version is 2"),
                                            ('{"schema": "1"}', "version is '1'")])  # fmt: skip
def test_another_schema(pack: Path, text: str, said: str) -> None:
    (pack / "pack.json").write_text(text)
    assert said in refusal(pack)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.update(tempo=120), "tempo: unknown key"),
        (lambda f: f["sampler"].update(sigma=1), "sampler.sigma: unknown key"),
        (lambda f: f["sampler"].update(steps="8"), "sampler.steps: must be a whole number, not '8'"),
        (lambda f: f["sampler"].update(window_frames=72), "sampler.window_frames: "),
        (lambda f: f["sampler"].update(context_frames=64), "context_frames must be fewer"),
        (lambda f: f["sampler"].update(guidance=float("nan")), "sampler.guidance: "),
        (lambda f: f["thresholds"].update(onset=1.5), "thresholds.onset: "),
        (lambda f: f.pop("licence"), "licence: missing"),
        (lambda f: f.update(sample_rate_hz=48_000), "sample_rate_hz is 48000"),
        (lambda f: f["latent_std"].pop(), "latent_std must have 64"),
        (lambda f: f["styles"].append("metal"), "style metal is not one of"),
        (lambda f: f["styles"].append("jazz"), "listed twice"),
        (lambda f: f["sounds"].pop("jazz"), "style jazz has no sounds"),
        (lambda f: f["sounds"]["jazz"].pop("bass"), "style jazz must give a sound"),
        (lambda f: f["graphs"].pop("denoiser"), "graphs.denoiser: missing"),
        (lambda f: f["graphs"].update(denoiser="denoiser.bin"), "graph denoiser must be an .xml"),
        (lambda f: f["graphs"].update(denoiser="other.xml"), "other.xml is used but not listed"),
        (lambda f: f["files"].pop("band.sf2"), "band.sf2 is used but not listed"),
        (lambda f: f["files"].pop("planner.bin"), "planner.bin is used but not listed"),
        (lambda f: f["files"].update({"pack.json": f["files"]["band.sf2"]}), "would have to list itself"),
        (lambda f: f["files"]["band.sf2"].update(sha256="0" * 63), "files.band.sf2.sha256: "),
    ],
)
def test_a_manifest_that_makes_no_sense(
    pack: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    rewrite(pack, change)
    assert said in refusal(pack)


@pytest.mark.parametrize(
    "name",
    ["../secret.sf2", "/etc/hostname", "a/../../secret.sf2", "a\\b.sf2", "..", "", "./band.sf2", "C:band.sf2",
     "a//b", ".hidden", "band.sf2\n"],
)  # fmt: skip
def test_paths_that_leave_the_pack(pack: Path, name: str) -> None:
    shutil.copyfile(pack / "band.sf2", pack.parent / "secret.sf2")  # the target outside the pack exists

    def lead_out(facts: dict[str, Any]) -> None:
        facts["files"][name] = facts["files"]["band.sf2"]
        facts["soundfont"] = name

    rewrite(pack, lead_out)
    assert "is not valid" in refusal(pack)


def test_a_missing_file(pack: Path) -> None:
    (pack / "denoiser.bin").unlink()
    assert "denoiser.bin: missing" in refusal(pack, verify=False)


def test_an_altered_file(pack: Path) -> None:
    data = bytearray((pack / "denoiser.bin").read_bytes())
    data[-1] ^= 1
    (pack / "denoiser.bin").write_bytes(data)
    assert "denoiser.bin: altered" in refusal(pack)
    assert load_pack(pack, verify=False)  # only the hash shows it
    (pack / "denoiser.bin").write_bytes(data + b"\0")
    size = len(data)
    assert f"altered ({size + 1} bytes instead of {size})" in refusal(pack, verify=False)


def test_an_extra_file(pack: Path) -> None:
    (pack / "more").mkdir()
    (pack / "more" / "plugin.so").write_bytes(b"")
    assert "more/plugin.so: not part of the pack" in refusal(pack, verify=False)


@pytest.mark.parametrize("inside", [True, False])
def test_links_are_refused(pack: Path, inside: bool) -> None:
    target = (pack if inside else pack.parent) / "real.sf2"
    (pack / "band.sf2").rename(target)
    (pack / "band.sf2").symlink_to(target)
    assert "band.sf2: a link" in refusal(pack)


def test_linked_folders_and_devices_are_refused(pack: Path) -> None:
    (pack / "more").symlink_to(pack.parent)
    assert "more: a link" in refusal(pack)
    (pack / "more").unlink()
    os.mkfifo(pack / "pipe")
    assert "pipe: not a plain file" in refusal(pack)
    (pack / "pipe").unlink()
    (pack / "pack.json").rename(pack / "real.json")
    (pack / "pack.json").symlink_to("real.json")
    assert "pack.json: not a plain file" in refusal(pack)


def test_the_folder_itself_may_be_a_link(pack: Path) -> None:
    (pack.parent / "current").symlink_to(pack)
    assert load_pack(pack.parent / "current").sha256 == load_pack(pack).sha256
