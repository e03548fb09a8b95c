"""``python -m quantize`` builds a pack, or says in one line what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.packs.pack import load_pack
from quantize.__main__ import main


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "INT8 needs calibration samples"),
        (["--calibration", "nowhere"], "condition.npz: cannot be read"),
        (["--precision", "fp32", "--float", "denoiser"], "give a graph and a layer"),
        (["--precision", "fp32", "--float", "drummer/out"], "no graph is called drummer"),
        (["--precision", "fp32", "--soundfont", "graphs.json"], "not a SoundFont 2 file"),
        (["--precision", "fp32", "--soundfont", "bare.sf2"], "bare-licence.txt: missing"),
        (["--precision", "fp32", "--out", "taken"], "a file has that name"),
    ],
)
def test_the_command_says_what_is_wrong(
    spoiled: Path, soundfont: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(spoiled)
    shutil.copy(soundfont, "bare.sf2")
    Path("taken").write_text("")
    before = sorted(spoiled.rglob("*"))
    result = CliRunner().invoke(main, [".", "--soundfont", str(soundfont), "--out", "pack", *options])
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert sorted(spoiled.rglob("*")) == before


def test_the_command_builds_a_pack(graphs: Path, soundfont: Path, tmp_path: Path) -> None:
    words = [graphs, "--soundfont", soundfont, "--out", tmp_path / "pack", "--precision", "fp32"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0
    assert load_pack(tmp_path / "pack").sha256 in result.output
